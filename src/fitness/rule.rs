//! Observations that a rule judges, and the words and bounds of its verdict.

use crate::record::{BlockRecord, Conditions, FitnessReason, FitnessVerdict, Host};
use crate::units::Ratio;

/// The observations that are judged.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The machine.
    pub host: &'a Host,
    /// Its conditions.
    pub conditions: &'a Conditions,
    /// The blocks that were measured meanwhile; empty if the machine was only looked at.
    pub blocks: &'a [BlockRecord],
}

/// From which figure on a run is suspect, and from which it is invalid.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub suspect: f64,
    pub invalid: f64,
}

impl Bounds {
    pub(super) fn severity(self, figure: f64) -> Option<FitnessVerdict> {
        if figure > self.invalid {
            Some(FitnessVerdict::Invalid)
        } else {
            (figure > self.suspect).then_some(FitnessVerdict::Suspect)
        }
    }

    /// Reason that a share beyond a bound gives, with both as texts; absent where it is within
    /// them.
    pub(super) fn of_share(
        self,
        share: Ratio,
        text: impl FnOnce(&str, &str) -> String,
        remedy: &str,
    ) -> Option<FitnessReason> {
        let severity = self.severity(share.0)?;
        let text = text(&percent(share), &self.words(severity));
        Some(reason(severity, text, remedy))
    }

    /// `bound 10%`: the one that a share of this severity exceeds.
    fn words(self, severity: FitnessVerdict) -> String {
        let bound = if severity == FitnessVerdict::Invalid {
            self.invalid
        } else {
            self.suspect
        };
        format!("bound {}", percent(Ratio(bound)))
    }
}

pub(super) fn reason(severity: FitnessVerdict, seen: String, remedy: &str) -> FitnessReason {
    FitnessReason {
        severity,
        seen: seen.into(),
        remedy: Some(remedy.into()),
    }
}

/// `12%`, with a decimal below ten.
pub(super) fn percent(share: Ratio) -> String {
    let percent = share.0 * 100.0;
    if percent < 9.95 && percent.fract().abs() > 1e-9 {
        format!("{percent:.1}%")
    } else {
        format!("{percent:.0}%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_short() {
        assert_eq!(
            [0.123, 0.0512, 0.05, 0.999].map(|share| percent(Ratio(share))),
            ["12%", "5.1%", "5%", "100%"]
        );
    }
}
