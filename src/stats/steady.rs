//! When a latency has stopped changing.

/// The rule that ends a warm-up: the last windows agree, and are not still getting faster.
///
/// Applied to the median latencies of consecutive windows, it holds when the largest of the last
/// `windows` is at most `1 + tolerance` times the smallest, and they do not fall from each one to
/// the next. Noise alone falls through 3 windows once in 6, which costs one window more.
///
/// The range part is perf_analyzer's criterion (`docs/measurements_metrics.md`: 3 windows, 10%);
/// the trend part is there because a slow warm-up passes any range rule that is wide enough for
/// noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SteadyRule {
    /// Windows that must agree, at least 2.
    pub windows: usize,
    /// Largest excess of the slowest window over the fastest, as a share.
    pub tolerance: f64,
}

impl Default for SteadyRule {
    /// Three windows within 5%.
    fn default() -> Self {
        SteadyRule {
            windows: 3,
            tolerance: 0.05,
        }
    }
}

impl SteadyRule {
    /// Whether the last windows are steady, given all windows' medians so far, oldest first.
    #[must_use]
    pub fn is_steady(&self, medians: &[f64]) -> bool {
        let Some(start) = medians.len().checked_sub(self.windows.max(2)) else {
            return false;
        };
        let last = &medians[start..];
        let low = last.iter().copied().fold(f64::INFINITY, f64::min);
        let high = last.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let falling = last.windows(2).all(|pair| pair[1] < pair[0]);
        last.iter().all(|median| median.is_finite())
            && high <= low * (1.0 + self.tolerance)
            && !falling
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_steady_where_the_last_agree_and_do_not_fall() {
        for (medians, is_steady, why) in [
            (
                &[900.0, 300.0, 102.0, 100.0, 101.0][..],
                true,
                "only the last windows count",
            ),
            (
                &[100.0, 101.0, 100.0, 300.0],
                false,
                "the last window counts",
            ),
            (&[], false, "too few windows"),
            (&[100.0, 100.0], false, "too few windows"),
            (&[100.0, 100.0, 100.0], true, "windows enough"),
            (
                &[104.0, 102.0, 100.0],
                false,
                "a slow fall within the tolerance",
            ),
            (&[104.0, 102.0, 102.0], true, "a fall that has ended"),
            (
                &[100.0, 103.0, 101.0],
                true,
                "a spread within the tolerance",
            ),
            (&[f64::NAN, f64::NAN, f64::NAN], false, "not a number"),
        ] {
            let found = SteadyRule::default().is_steady(medians);
            assert_eq!(found, is_steady, "{why}: {medians:?}");
        }
        let narrow = SteadyRule {
            windows: 3,
            tolerance: 0.02,
        };
        assert!(!narrow.is_steady(&[100.0, 103.0, 101.0]));
    }
}
