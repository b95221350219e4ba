//! Pictures as inline SVG, drawn on the server. Their colours are the sheet's: it knows them by what is written here. Numbers are drawn
//! only; nothing is computed with them.

use maud::{Markup, PreEscaped, html};
use plotters::{
    backend::SVGBackend,
    drawing::{DrawingArea, IntoDrawingArea},
    element::{Rectangle, Text},
    style::{
        Color, IntoFont, RGBColor, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::show;

/// Colours, by which the sheet finds what to colour.
const INK: RGBColor = RGBColor(0x1C, 0x24, 0x30);
const PLUS: RGBColor = RGBColor(0x35, 0x72, 0xB8);
const MINUS: RGBColor = RGBColor(0xB8, 0x44, 0x3A);

const WIDTH: i32 = 480;
const ROW: i32 = 26;
const LETTERS: i32 = 15;
/// For names on the left, and for numbers beside bars.
const NAMES: i32 = 150;
const NUMBERS: i32 = 60;
/// Of a picture of days, and how many days have one date.
const TALL: i32 = 150;
const WEEK: usize = 7;
/// Characters of a name that fit.
const LONGEST: usize = 16;

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Signed numbers as bars to both sides of a line, each with its name.
pub fn differences(title: &str, bars: &[(String, f64)]) -> Markup {
    let most = bars
        .iter()
        .map(|(_, number)| number.abs())
        .fold(1.0, f64::max);
    let has_minus = bars.iter().any(|(_, number)| *number < 0.0);
    let left = NAMES + if has_minus { NUMBERS } else { 0 };
    let room = WIDTH - left - NUMBERS;
    let zero = if has_minus { left + room / 2 } else { left };
    let longest = f64::from(if has_minus { room / 2 } else { room });
    picture(title, row_top(bars.len()), |area| {
        for (index, (name, number)) in bars.iter().enumerate() {
            let top = row_top(index);
            // The share is between 0 and 1, so the product fits.
            #[allow(
                clippy::cast_possible_truncation,
                reason = "a part of the picture's width"
            )]
            let end = zero + (number / most * longest).round() as i32;
            let colour = if *number < 0.0 { MINUS } else { PLUS };
            let (from, to) = (zero.min(end), zero.max(end).max(zero + 1));
            let bar = Rectangle::new([(from, top + 4), (to, top + ROW - 4)], colour.filled());
            area.draw(&bar).ok()?;
            let middle = top + ROW / 2;
            write(area, &short(name), (NAMES - 8, middle), HPos::Right)?;
            let told = show::signed(&number.to_string());
            match *number < 0.0 {
                true => write(area, &told, (from - 6, middle), HPos::Right)?,
                false => write(area, &told, (to + 6, middle), HPos::Left)?,
            }
        }
        Some(())
    })
}

/// Days as columns: what went well below, what did not above it.
pub fn days(title: &str, days: &[(String, u64, u64)]) -> Markup {
    let most = days
        .iter()
        .map(|(_, good, bad)| good + bad)
        .max()
        .unwrap_or(0)
        .max(1);
    let columns = i32::try_from(days.len()).unwrap_or(0).max(1);
    let (bottom, room) = (TALL - ROW, TALL - 2 * ROW);
    let width = WIDTH / columns;
    let height = |count: u64| {
        let share = u128::from(count) * u128::from(room.unsigned_abs()) / u128::from(most);
        i32::try_from(share).unwrap_or(room)
    };
    picture(title, TALL, |area| {
        for (index, (day, good, bad)) in days.iter().enumerate() {
            let left = i32::try_from(index).ok()? * width;
            let (middle, top) = (
                bottom - height(*good),
                bottom - height(*good) - height(*bad),
            );
            for (from, to, colour) in [(bottom, middle, PLUS), (middle, top, MINUS)] {
                if from > to {
                    let bar =
                        Rectangle::new([(left + 2, to), (left + width - 2, from)], colour.filled());
                    area.draw(&bar).ok()?;
                }
            }
            if index % WEEK == 0 {
                write(area, day, (left, TALL - ROW / 2), HPos::Left)?;
            }
        }
        write(
            area,
            &show::number(&most.to_string()),
            (2, ROW / 2),
            HPos::Left,
        )
    })
}

fn row_top(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(0) * ROW
}

fn short(name: &str) -> String {
    let mut short: String = name.chars().take(LONGEST).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    short
}

fn write(area: &Area<'_>, text: &str, at: (i32, i32), side: HPos) -> Option<()> {
    let style = TextStyle::from(("sans-serif", LETTERS).into_font())
        .color(&INK)
        .pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style)).ok()
}

/// A picture; nothing where it cannot be drawn.
fn picture(title: &str, height: i32, draw: impl FnOnce(&Area<'_>) -> Option<()>) -> Markup {
    let height = height.unsigned_abs();
    let mut svg = String::new();
    let area =
        SVGBackend::with_string(&mut svg, (WIDTH.unsigned_abs(), height)).into_drawing_area();
    let drawn = draw(&area).and_then(|()| area.present().ok());
    drop(area);
    html! {
        @if drawn.is_some() {
            div.chart role="img" aria-label=(title) { (PreEscaped(svg)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bar_has_its_name_and_number_and_no_name_becomes_markup() {
        let bars = [
            ("<script>x</script>".to_owned(), 12.0),
            ("B".to_owned(), -3.0),
        ];
        let drawn = differences("what <differs>", &bars).0;
        assert!(
            drawn.contains("&lt;script&gt;") && !drawn.contains("<script"),
            "{drawn}"
        );
        assert!(drawn.contains("+12") && drawn.contains("−3"), "{drawn}");
        assert!(
            drawn.contains("#3572B8") && drawn.contains("#B8443A"),
            "{drawn}"
        );
        assert!(
            !drawn.contains("style="),
            "the policy allows no style: {drawn}"
        );
        let days = days(
            "days",
            &[("11-24".to_owned(), 3, 1), ("11-25".to_owned(), 0, 0)],
        )
        .0;
        assert!(
            days.contains("11-24") && days.matches("<rect").count() == 2,
            "{days}"
        );
        assert!(drawn.contains("role=\"img\" aria-label=\"what &lt;differs&gt;\""));
    }
}
