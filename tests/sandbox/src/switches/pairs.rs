//! A small greedy cover of all pairs of choices.
//! It must give the same rows every time.

use std::collections::BTreeSet;

/// A value of one axis: (axis, position).
pub type Choice = (usize, usize);

/// The pairs of choices not covered yet.
pub struct Pairs {
    widths: &'static [usize],
    open: BTreeSet<(Choice, Choice)>,
}

impl Pairs {
    /// All pairs of axes with these many positions each.
    pub fn new(widths: &'static [usize]) -> Self {
        let choices = |axis: usize, width: usize| (0..width).map(move |position| (axis, position));
        let mut open = BTreeSet::new();
        for (first, &first_width) in widths.iter().enumerate() {
            for (second, &second_width) in widths.iter().enumerate().skip(first + 1) {
                for one in choices(first, first_width) {
                    open.extend(choices(second, second_width).map(|other| (one, other)));
                }
            }
        }
        Self { widths, open }
    }

    /// Any pair still open.
    pub fn first(&self) -> Option<(Choice, Choice)> {
        self.open.first().copied()
    }

    fn is_open(&self, one: Choice, other: Choice) -> bool {
        self.open.contains(&(one.min(other), one.max(other)))
    }

    /// A full row that holds `seed`; every other axis takes the position that covers most open pairs.
    pub fn fill(&self, seed: (Choice, Choice)) -> Vec<usize> {
        let mut chosen = vec![seed.0, seed.1];
        for (axis, &width) in self.widths.iter().enumerate() {
            if axis == seed.0.0 || axis == seed.1.0 {
                continue;
            }
            let gain = |position: &usize| {
                chosen
                    .iter()
                    .filter(|&&other| self.is_open((axis, *position), other))
                    .count()
            };
            let best = (0..width).rev().max_by_key(gain).unwrap_or_default();
            chosen.push((axis, best));
        }
        chosen.sort_unstable();
        chosen.into_iter().map(|(_, position)| position).collect()
    }

    /// Takes the pairs of a row off the list.
    pub fn cover(&mut self, positions: &[usize]) {
        let row: Vec<Choice> = positions.iter().copied().enumerate().collect();
        self.open
            .retain(|(one, other)| !(row.contains(one) && row.contains(other)));
    }
}
