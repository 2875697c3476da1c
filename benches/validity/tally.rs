//! How often something happened.

use std::fmt;
use std::ops::RangeInclusive;

use onnxprof::stats::Proportion;

use crate::options::Options;

/// A share of tries.
#[derive(Clone, Copy, Debug, Default)]
pub struct Share {
    hits: u64,
    n: u64,
}

impl Share {
    /// Counts one try.
    pub fn count(&mut self, hit: bool) {
        self.hits += u64::from(hit);
        self.n += 1;
    }

    /// Tries of several together.
    pub fn of_all<'s>(shares: impl Iterator<Item = &'s Share>) -> Self {
        shares.fold(Share::default(), |sum, one| Share {
            hits: sum.hits + one.hits,
            n: sum.n + one.n,
        })
    }

    /// Tries.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The share; 1 without tries, so that nothing passes that was not tried.
    pub fn value(&self) -> f64 {
        if self.n == 0 {
            1.0
        } else {
            self.hits as f64 / self.n as f64
        }
    }

    /// Whether the true share may lie in a range, by its 95% interval (Wilson).
    pub fn may_be(&self, range: RangeInclusive<f64>) -> bool {
        let interval = Proportion::new(self.hits, self.n).map(Proportion::interval);
        interval
            .is_some_and(|interval| interval.low <= *range.end() && interval.high >= *range.start())
    }
}

impl fmt::Display for Share {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Proportion::new(self.hits, self.n) {
            None => out.write_str("not tried"),
            Some(share) => {
                let interval = share.interval();
                let percent = |share: f64| 100.0 * share;
                write!(
                    out,
                    "{:.1}% ({:.1} to {:.1})",
                    percent(share.share()),
                    percent(interval.low),
                    percent(interval.high)
                )
            }
        }
    }
}

/// The command that gives a table.
pub fn written(experiment: &str, options: &Options) -> String {
    let quick = if options.scaled(10) == 1 {
        " --quick"
    } else {
        ""
    };
    format!(
        "cargo bench --bench validity -- {experiment}{quick} --seed {}",
        options.seed
    )
}
