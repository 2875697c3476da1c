//! Bounds that every configuration of a search must keep.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Budget, Check, CheckError, Side};
use crate::metric::Metric;

/// A check with a limit in units, such as `latency_p99<=20ms`. Records hold it as it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slo {
    text: String,
    /// The metric that is checked.
    pub metric: Metric,
    /// On which side of the limit it must lie.
    pub side: Side,
    /// The limit, in the metric's base unit.
    pub limit: f64,
}

/// Why a text is no SLO.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SloError {
    /// It is no check.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// It is a check, whose budget depends on the baseline.
    #[error("an SLO is a limit in units, such as `latency_p99<=20ms`")]
    Relative,
}

impl Slo {
    /// Reads an SLO, which is not against the baseline, and keeps how it is written.
    pub fn parse(text: &str) -> Result<Self, SloError> {
        let Check {
            metric,
            side,
            budget,
        } = Check::parse(text)?;
        match budget {
            Budget::Absolute(limit) => Ok(Slo {
                text: text.to_owned(),
                metric,
                side,
                limit,
            }),
            Budget::TimesBaseline(_) | Budget::Drop(_) | Budget::Judgement => {
                Err(SloError::Relative)
            }
        }
    }
}

impl fmt::Display for Slo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Slo> for String {
    fn from(slo: Slo) -> Self {
        slo.text
    }
}

impl TryFrom<String> for Slo {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Slo::parse(&text).map_err(|error| format!("SLO `{text}`: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_stays_as_it_is_written() {
        let text = "\"latency_p99 <=  20ms\"";
        let slo: Slo = serde_json::from_str(text).unwrap();
        assert_eq!(
            (slo.metric, slo.side, slo.limit),
            (Metric::LatencyP99, Side::AtMost, 20e6)
        );
        assert_eq!(serde_json::to_string(&slo).unwrap(), text);
    }

    #[test]
    fn what_is_no_limit_in_units_is_refused_by_name() {
        for (text, reason) in [
            ("latency_p98<=20ms", "unknown metric `latency_p98`"),
            ("latency_p99<=1.1x baseline", "a limit in units"),
            ("accuracy_top1 drop <= 1 point", "a limit in units"),
        ] {
            let error = serde_json::from_value::<Slo>(text.into())
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(&format!("`{text}`")) && error.contains(reason),
                "{error}"
            );
        }
    }
}
