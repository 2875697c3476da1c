//! Whether an SLO is kept at a rate.

use serde::Serialize;

use super::point::LoadPoint;
use crate::analysis::figures::{Bounds, Estimate, Interval};
use crate::check::{Side, Slo};

/// Whether a rate keeps an SLO, by the 95% intervals of its figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// Even the worse end of every interval keeps its limit.
    Yes,
    /// An interval, or a figure without one, lies across its limit, or is not known.
    Open,
    /// Even the better end of an interval breaks its limit.
    No,
}

/// Whether a rate keeps all limits of an SLO on requests of one rate; `None` where it has none.
#[must_use]
pub fn kept(point: &LoadPoint, slo: &[Slo]) -> Option<Kept> {
    slo.iter()
        .filter_map(|slo| Some(of_figure(point.figure(slo.metric)?, slo)))
        .max()
}

fn of_figure(figure: &Estimate, slo: &Slo) -> Kept {
    let ends = match figure {
        Estimate::Measured(measured) => match (measured.interval, measured.bounds) {
            (Some(Interval { low, high }), _) => Bounds {
                at_least: Some(low),
                at_most: Some(high),
            },
            (None, bounds) => bounds.unwrap_or(UNKNOWN),
        },
        Estimate::Absent { bounds, .. } => bounds.unwrap_or(UNKNOWN),
    };
    let (worse, better) = match slo.side {
        Side::AtMost => (ends.at_most, ends.at_least),
        Side::AtLeast => (ends.at_least, ends.at_most),
    };
    if worse.is_some_and(|end| slo.side.allows(end, slo.limit)) {
        Kept::Yes
    } else if better.is_some_and(|end| !slo.side.allows(end, slo.limit)) {
        Kept::No
    } else {
        Kept::Open
    }
}

const UNKNOWN: Bounds = Bounds {
    at_least: None,
    at_most: None,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::figures::{Counted, Measured};

    fn within(low: f64, high: f64) -> Estimate {
        Estimate::Measured(Measured {
            interval: Some(Interval { low, high }),
            ..Measured::exact(low.midpoint(high), 6, Counted::Launches)
        })
    }

    #[test]
    fn limits_are_kept_where_the_whole_interval_lies_within_them() {
        let slo = Slo::parse("response_p99<=20ms").unwrap();
        let least = Bounds {
            at_least: Some(21e6),
            at_most: None,
        };
        for (figure, expected) in [
            (within(10e6, 19e6), Kept::Yes),
            (within(10e6, 21e6), Kept::Open),
            (within(20.1e6, 21e6), Kept::No),
            (Estimate::exact(10e6, 1, Counted::Requests), Kept::Open),
            (Estimate::absent("nothing was completed"), Kept::Open),
            (
                Estimate::Absent {
                    reason: "needs 1000 requests, has 90".into(),
                    bounds: Some(least),
                },
                Kept::No,
            ),
        ] {
            assert_eq!(of_figure(&figure, &slo), expected, "{figure:?}");
        }
        let rate = Slo::parse("goodput>=100/s").unwrap();
        assert_eq!(of_figure(&within(101.0, 110.0), &rate), Kept::Yes);
        assert_eq!(of_figure(&within(90.0, 99.0), &rate), Kept::No);
    }
}
