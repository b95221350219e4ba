//! Puts all mutants of a source file into it at once, each behind its switch. It must not change what happens while none is on.

use std::{iter::Peekable, ops::Range, slice};

use syn::{
    Arm, Expr, ExprBinary, ExprStruct, ExprUnary,
    spanned::Spanned,
    visit::{self, Visit},
};

use crate::list::{Genre, Mutant};

/// A file with its mutants in it.
#[derive(Debug, Default)]
pub struct Woven {
    /// The new text.
    pub text: String,
    /// Where each mutant went.
    pub pieces: Vec<Piece>,
    /// Those that no switch can hold.
    pub strays: Vec<usize>,
    /// Those that are no Rust: `||` in a chain that binds names.
    pub no_rust: Vec<usize>,
}

/// Where a mutant went, in bytes of the new text.
#[derive(Debug)]
pub struct Piece {
    /// Its number.
    pub number: usize,
    /// What was written for it.
    pub written: Range<usize>,
    /// That, and what it may stand in for.
    pub whole: Range<usize>,
}

/// Weaves these mutants, by their numbers, into the text of their file.
///
/// # Errors
/// When the text is no Rust.
pub fn weave(text: &str, mutants: &[(usize, &Mutant)]) -> syn::Result<Woven> {
    let mut places = Places::default();
    places.visit_file(&syn::parse_file(text)?);
    let (mut strays, mut no_rust) = (Vec::new(), Vec::new());
    let mut wraps = Vec::new();
    for &(number, mutant) in mutants {
        match places.wrap(text, number, mutant) {
            Some(wrap) => wraps.push(wrap),
            None if places.chains.contains(&mutant.bytes.start) => no_rust.push(number),
            None => strays.push(number),
        }
    }
    wraps.sort_by_key(|wrap| {
        let Range { start, end } = wrap.around;
        (start, usize::MAX - end, wrap.depth)
    });
    let mut loom = Loom {
        old: text,
        done: 0,
        rest: wraps.iter().peekable(),
        woven: Woven {
            strays,
            no_rust,
            ..Woven::default()
        },
    };
    loom.fill(text.len());
    Ok(loom.woven)
}

/// What is written around a part of the old text.
struct Wrap {
    number: usize,
    around: Range<usize>,
    open: String,
    close: &'static str,
    /// Of two around the same part, the one with the smaller is outside.
    depth: u8,
}

struct Loom<'a> {
    old: &'a str,
    done: usize,
    rest: Peekable<slice::Iter<'a, Wrap>>,
    woven: Woven,
}

impl Loom<'_> {
    /// Writes the old text up to here, with everything that is around a part of it.
    fn fill(&mut self, until: usize) {
        while let Some(wrap) = self.rest.next_if(|wrap| wrap.around.end <= until) {
            self.copy(wrap.around.start);
            let from = self.woven.text.len();
            self.woven.text.push_str(&wrap.open);
            let written = from..self.woven.text.len();
            self.fill(wrap.around.end);
            self.woven.text.push_str(wrap.close);
            self.woven.pieces.push(Piece {
                number: wrap.number,
                written,
                whole: from..self.woven.text.len(),
            });
        }
        self.copy(until);
    }

    fn copy(&mut self, until: usize) {
        let old = self.old.get(self.done..until).unwrap_or_default();
        self.woven.text.push_str(old);
        self.done = until;
    }
}

/// What a mutant can be put around.
#[derive(Default)]
struct Places {
    /// Each operator, and what is read anew when it is another one: its expression, or the whole without parentheses that this is a
    /// part of, since the other operator may bind less.
    operators: Vec<(Range<usize>, Range<usize>)>,
    /// The whole that the next operator is a part of.
    around: Option<Range<usize>>,
    /// Where the operators of chains stand that bind names; `&&` is the only one that can.
    chains: Vec<usize>,
    /// Literals of structures.
    structures: Vec<Range<usize>>,
    arms: Vec<ArmPlace>,
}

struct ArmPlace {
    whole: Range<usize>,
    pattern_end: usize,
    guard: Option<Range<usize>>,
}

impl Places {
    fn wrap(&self, text: &str, number: usize, mutant: &Mutant) -> Option<Wrap> {
        let at = mutant.bytes.clone();
        let on = format!("crate::mutant::on({number})");
        let inside = |place: &&Range<usize>| place.start <= at.start && at.end <= place.end;
        let (around, open, close, depth) = match mutant.genre {
            Genre::FnValue => {
                let open = format!("if {on} {{ return {}; }} ", mutant.replacement);
                (at, open, "", 0)
            }
            Genre::MatchArm => {
                let arm = self.arms.iter().find(|arm| arm.whole.start == at.start)?;
                match arm.guard.clone() {
                    Some(guard) => (guard, format!("!{on} && ("), ")", 1),
                    None => (
                        arm.pattern_end..arm.pattern_end,
                        format!(" if !{on}"),
                        "",
                        1,
                    ),
                }
            }
            Genre::MatchArmGuard => instead(text, at.clone(), &on, mutant),
            Genre::BinaryOperator | Genre::UnaryOperator => {
                let of = |(operator, _): &&(Range<usize>, _)| operator.start == at.start;
                let (_, whole) = self.operators.iter().find(of)?;
                instead(text, whole.clone(), &on, mutant)
            }
            Genre::StructField => {
                let smallest = self
                    .structures
                    .iter()
                    .filter(inside)
                    .min_by_key(|place| place.len())?;
                instead(text, smallest.clone(), &on, mutant)
            }
        };
        Some(Wrap {
            number,
            around,
            open,
            close,
            depth,
        })
    }
}

/// This expression, mutated while the switch is on.
fn instead(
    text: &str,
    whole: Range<usize>,
    on: &str,
    mutant: &Mutant,
) -> (Range<usize>, String, &'static str, u8) {
    let part = |part: Range<usize>| text.get(part).unwrap_or_default();
    let before = part(whole.start..mutant.bytes.start);
    let after = part(mutant.bytes.end..whole.end);
    let open = format!(
        "(if {on} {{ {before}{}{after} }} else {{ ",
        mutant.replacement
    );
    (whole, open, " })", 2)
}

/// Whether this is, or is part of, a chain that binds names: no parentheses may stand around it.
fn binds(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(binary) => binds(&binary.left) || binds(&binary.right),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Places {
    fn visit_expr_binary(&mut self, binary: &'ast ExprBinary) {
        let operator = binary.op.span().byte_range();
        let outer = self.around.take();
        let whole = if binds(&binary.left) || binds(&binary.right) {
            self.chains.push(operator.start);
            None
        } else {
            let whole = outer.clone().unwrap_or_else(|| binary.span().byte_range());
            self.operators.push((operator, whole.clone()));
            Some(whole)
        };
        for side in [&binary.left, &binary.right] {
            self.around = whole.clone().filter(|_| matches!(**side, Expr::Binary(_)));
            self.visit_expr(side);
        }
        self.around = outer;
    }

    fn visit_expr_unary(&mut self, unary: &'ast ExprUnary) {
        let operator = unary.op.span().byte_range();
        self.operators.push((operator, unary.span().byte_range()));
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_struct(&mut self, structure: &'ast ExprStruct) {
        self.structures.push(structure.span().byte_range());
        visit::visit_expr_struct(self, structure);
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.arms.push(ArmPlace {
            whole: arm.span().byte_range(),
            pattern_end: arm.pat.span().byte_range().end,
            guard: arm
                .guard
                .as_ref()
                .map(|(_, guard)| guard.span().byte_range()),
        });
        visit::visit_arm(self, arm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weaves changes of this form: the text that goes, the one that comes instead.
    fn woven(text: &str, changes: &[(Genre, &str, &str)]) -> Woven {
        let mutant = |(genre, old, new): &(Genre, &str, &str)| {
            let start = text.find(old).unwrap();
            Mutant {
                file: String::new(),
                line: 1,
                code: String::new(),
                change: String::new(),
                genre: *genre,
                replacement: (*new).to_owned(),
                bytes: start..start + old.len(),
            }
        };
        let mutants: Vec<Mutant> = changes.iter().map(mutant).collect();
        weave(text, &(7..).zip(&mutants).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn what_stands_for_a_mutant_is_there_while_it_is_on() {
        for (text, change, expected) in [
            (
                "fn f() -> u8 { g(); 1 }",
                (Genre::FnValue, "g(); 1", "0"),
                "fn f() -> u8 { if crate::mutant::on(7) { return 0; } g(); 1 }",
            ),
            (
                "fn f() -> u8 { 1 + 2 }",
                (Genre::BinaryOperator, "+", "-"),
                "fn f() -> u8 { (if crate::mutant::on(7) { 1 - 2 } else { 1 + 2 }) }",
            ),
            (
                "fn f() -> bool { !a }",
                (Genre::UnaryOperator, "!", ""),
                "fn f() -> bool { (if crate::mutant::on(7) { a } else { !a }) }",
            ),
            (
                "fn f() { match a { 1 => b, _ => c } }",
                (Genre::MatchArm, "1 => b,", ""),
                "fn f() { match a { 1 if !crate::mutant::on(7) => b, _ => c } }",
            ),
            (
                "fn f() { match a { 1 if d => b, _ => c } }",
                (Genre::MatchArm, "1 if d => b,", ""),
                "fn f() { match a { 1 if !crate::mutant::on(7) && (d) => b, _ => c } }",
            ),
            (
                "fn f() { match a { 1 if d => b, _ => c } }",
                (Genre::MatchArmGuard, "d", "true"),
                "fn f() { match a { 1 if (if crate::mutant::on(7) { true } else { d }) => b, _ => c } }",
            ),
            (
                "fn f() { S { a: 1, ..s } }",
                (Genre::StructField, "a: 1, ", ""),
                "fn f() { (if crate::mutant::on(7) { S { ..s } } else { S { a: 1, ..s } }) }",
            ),
        ] {
            assert_eq!(woven(text, &[change]).text, expected);
        }
    }

    #[test]
    fn one_mutant_inside_another_is_not_in_what_the_other_does() {
        let text = "fn f() -> bool { a < b || c }";
        let changes = [
            (Genre::BinaryOperator, "||", "&&"),
            (Genre::BinaryOperator, "<", ">"),
        ];
        let woven = woven(text, &changes);
        assert_eq!(
            woven.text,
            "fn f() -> bool { (if crate::mutant::on(7) { a < b && c } else { \
             (if crate::mutant::on(8) { a > b || c } else { a < b || c }) }) }"
        );
        let written = |piece: &Piece| woven.text[piece.written.clone()].to_owned();
        let written: Vec<String> = woven.pieces.iter().map(written).collect();
        let (inner, outer) = (
            "(if crate::mutant::on(8) { a > b || c } else { ",
            "(if crate::mutant::on(7) { a < b && c } else { ",
        );
        assert_eq!(written, [inner, outer]);
    }

    #[test]
    fn another_operator_binds_as_it_does_in_the_text() {
        let changed = (Genre::BinaryOperator, "&&", "||");
        let woven = woven("fn f() -> bool { a && b && c }", &[changed]);
        assert_eq!(
            woven.text,
            "fn f() -> bool { (if crate::mutant::on(7) { a || b && c } else { a && b && c }) }"
        );
    }

    #[test]
    fn a_chain_that_binds_names_is_left_whole() {
        let woven = woven(
            "fn f() { if let Some(a) = b && a {} }",
            &[(Genre::BinaryOperator, "&&", "||")],
        );
        assert_eq!((woven.no_rust, woven.pieces.len()), (vec![7], 0));
    }
}
