//! Samples and what is told of them: median, quartiles, percentiles. Measures nothing itself but times of what it is given.

use std::time::Duration;

use anyhow::Result;

/// Numbers of one kind, in order.
#[derive(Clone, Default)]
pub struct Figures(Vec<f64>);

impl Figures {
    /// Of these.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        Self(numbers)
    }

    /// Of times, in seconds.
    pub fn seconds(times: impl IntoIterator<Item = Duration>) -> Self {
        Self::of(times.into_iter().map(|time| time.as_secs_f64()))
    }

    /// The number below which this share of all lies; zero without any.
    pub fn share(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1) as f64;
        let at = (last * share).round() as usize;
        self.0.get(at).copied().unwrap_or_default()
    }

    /// The middle one.
    pub fn median(&self) -> f64 {
        self.share(0.5)
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them times so much.
    pub fn times(&self, by: f64) -> Self {
        Self::of(self.0.iter().map(|number| number * by))
    }
}

/// Two works in turn, so that both meet the same machine: what each took, and the ratio of each pair. The first pair warms up and is left
/// out.
pub fn in_turn(
    times: usize,
    mut one: impl FnMut() -> Result<Duration>,
    mut other: impl FnMut() -> Result<Duration>,
) -> Result<[Figures; 3]> {
    let mut pairs = Vec::with_capacity(times);
    for at in 0..=times {
        let pair = (one()?.as_secs_f64(), other()?.as_secs_f64());
        if at > 0 {
            pairs.push(pair);
        }
    }
    Ok([
        Figures::of(pairs.iter().map(|pair| pair.0)),
        Figures::of(pairs.iter().map(|pair| pair.1)),
        Figures::of(pairs.iter().map(|pair| pair.0 / pair.1)),
    ])
}
