//! Options that say what a search makes as good as possible, and what it must keep.

use std::time::Duration;

use super::values;
use crate::check::{Budget, Check, Side, Slo, SloError};
use crate::metric::{Direction, Group};
use crate::plan::{Flag, Objective};
use crate::units::Ratio;

/// What a search is after, and in which time.
#[derive(Debug, clap::Args)]
pub struct GoalArgs {
    /// What every configuration must keep, such as `latency_p99<=20ms` or `throughput>=500/s`; may
    /// be given several times.
    #[arg(long = Flag::Slo.word(), value_name = "CHECK", value_parser = slo)]
    pub slo: Vec<Slo>,
    /// How far top-1 accuracy may fall below the baseline's; takes labelled data. [default: any
    /// fall is allowed, and told]
    #[arg(long = Flag::MaxAccuracyDrop.word(), value_name = "POINTS", value_parser = points)]
    pub max_accuracy_drop: Option<Ratio>,
    /// What is made as good as possible.
    #[arg(long = Flag::Objective.word(), value_enum, default_value_t = ObjectiveArg::Throughput)]
    pub objective: ObjectiveArg,
    /// Wall time of the search; of what is taken up again, from then on. [default: 5m, or what is
    /// left of it]
    #[arg(long = Flag::Budget.word(), value_name = "TIME", value_parser = values::duration)]
    pub budget: Option<Duration>,
}

/// What is made as good as possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ObjectiveArg {
    /// Most predictions per second.
    Throughput,
    /// Shortest median latency.
    Latency,
    /// Least peak memory.
    Memory,
    /// Least energy per prediction.
    Energy,
}

impl From<ObjectiveArg> for Objective {
    fn from(arg: ObjectiveArg) -> Self {
        match arg {
            ObjectiveArg::Throughput => Objective::Throughput,
            ObjectiveArg::Latency => Objective::Latency,
            ObjectiveArg::Memory => Objective::Memory,
            ObjectiveArg::Energy => Objective::Energy,
        }
    }
}

fn slo(text: &str) -> Result<Slo, String> {
    let text = text.trim();
    let check = Check::parse(text).map_err(|error| error.to_string())?;
    match check.budget {
        Budget::Drop(_) => {
            Err("write a limit on the fall of accuracy as `--max-accuracy-drop 0.5pt`".into())
        }
        Budget::Absolute(_) if check.metric.group() == Group::ToBaseline => {
            Err(SloError::Relative.to_string())
        }
        Budget::Absolute(_) if is_pointless(&check) => {
            let (metric, side) = (check.metric.name(), Side::better(check.metric).sign());
            let better = if check.side == Side::AtMost {
                "more"
            } else {
                "less"
            };
            Err(format!(
                "{better} of `{metric}` is better, so that an SLO limits it by `{side}`"
            ))
        }
        Budget::Absolute(_) | Budget::TimesBaseline(_) => {
            Slo::parse(text).map_err(|error| error.to_string())
        }
    }
}

/// Whether a check limits a metric on the side on which it should be as far out as possible.
fn is_pointless(check: &Check) -> bool {
    check.metric.direction() != Direction::Neutral && check.side != Side::better(check.metric)
}

/// Percentage points, as `0.5pt`.
fn points(text: &str) -> Result<Ratio, String> {
    let wanted = || "write it in percentage points, such as `0.5pt`".to_owned();
    let text = text.trim();
    let number = ["points", "point", "pts", "pt", "pp"]
        .iter()
        .find_map(|unit| text.strip_suffix(unit));
    match number.ok_or_else(wanted)?.trim().parse::<f64>() {
        Ok(points) if (0.0..=100.0).contains(&points) => Ok(Ratio(points / 100.0)),
        _ => Err(wanted()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accuracy_may_fall_by_points() {
        for text in ["0.5pt", "0.5 points", "0.5pp"] {
            assert_eq!(points(text), Ok(Ratio(0.005)), "{text}");
        }
        for text in ["0.5", "0.5%", "-1pt", "pt", "200pt", "nanpt"] {
            assert!(points(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_slo_is_a_limit_in_units() {
        assert_eq!(
            slo(" latency_p99<=20ms").unwrap().to_string(),
            "latency_p99<=20ms"
        );
        assert!(
            slo("latency_p98<=20ms")
                .unwrap_err()
                .contains("did you mean")
        );
        assert!(
            slo("latency_p99<=20MiB")
                .unwrap_err()
                .contains("takes a time")
        );
        assert!(
            slo("latency_p99<=20 parsecs")
                .unwrap_err()
                .contains("unknown unit")
        );
        assert!(
            slo("latency_p99<=1.1x baseline")
                .unwrap_err()
                .contains("in units")
        );
        assert!(
            slo("latency_p50_ratio_to_baseline<=0.9")
                .unwrap_err()
                .contains("in units")
        );
        assert!(
            slo("accuracy_top1 drop <= 1 point")
                .unwrap_err()
                .contains("--max-accuracy-drop")
        );
        assert!(slo("latency_p99").is_err());
        assert_eq!(
            slo("latency_p99>=20ms"),
            Err("less of `latency_p99` is better, so that an SLO limits it by `<=`".into())
        );
        assert!(
            slo("throughput<=20/s")
                .unwrap_err()
                .contains("limits it by `>=`")
        );
        assert!(
            slo("cpu_utilization>=0.5").is_ok(),
            "neither side is better"
        );
    }
}
