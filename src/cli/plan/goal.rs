//! Options that say what a search makes as good as possible, and what it must keep.

use std::time::Duration;

use super::values;
use crate::check::{Budget, Check, Side, Slo, SloError};
use crate::metric::{Direction, Group};
use crate::plan::{Flag, Objective};
use crate::units::Ratio;

/// Goal of a search, and the time for it.
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
    #[arg(long = Flag::Objective.word(), default_value = "throughput")]
    pub objective: ObjectiveArg,
    /// Wall time of the search; of what is taken up again, from then on. [default: 5m, or what is
    /// left of it]
    #[arg(long = Flag::Budget.word(), value_name = "TIME", value_parser = values::duration)]
    pub budget: Option<Duration>,
}

/// Quantity that is made as good as possible.
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
    let metric = check.metric;
    match check.budget {
        Budget::Drop(_) => {
            Err("write a limit on the fall of accuracy as `--max-accuracy-drop 0.5pt`".into())
        }
        Budget::Absolute(_) if metric.group() == Group::ToBaseline => {
            Err(SloError::Relative.to_string())
        }
        // On that side it should be as far out as possible.
        Budget::Absolute(_)
            if metric.direction() != Direction::Neutral && check.side != Side::better(metric) =>
        {
            let (name, sign) = (metric.name(), Side::better(metric).sign());
            let better = if check.side == Side::AtMost {
                "more"
            } else {
                "less"
            };
            Err(format!(
                "{better} of `{name}` is better, so that an SLO limits it by `{sign}`"
            ))
        }
        Budget::Absolute(_) | Budget::TimesBaseline(_) | Budget::Judgement => {
            Slo::parse(text).map_err(|error| error.to_string())
        }
    }
}

/// Percentage points, as `0.5pt`.
pub(super) fn points(text: &str) -> Result<Ratio, String> {
    let text = text.trim();
    let number = ["points", "point", "pts", "pt", "pp"]
        .iter()
        .find_map(|unit| text.strip_suffix(unit));
    match number.and_then(|number| number.trim().parse::<f64>().ok()) {
        Some(points) if (0.0..=100.0).contains(&points) => Ok(Ratio(points / 100.0)),
        _ => Err("write it in percentage points, such as `0.5pt`".into()),
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
        for (text, mistake) in [
            ("latency_p98<=20ms", "did you mean"),
            ("latency_p99<=20MiB", "takes a time"),
            ("latency_p99<=20 parsecs", "unknown unit"),
            ("latency_p99<=1.1x baseline", "in units"),
            ("latency_p50_ratio_to_baseline<=0.9", "in units"),
            ("accuracy_top1 drop <= 1 point", "--max-accuracy-drop"),
            ("latency_p99", ""),
            (
                "latency_p99>=20ms",
                "less of `latency_p99` is better, so that an SLO limits it by `<=`",
            ),
            ("throughput<=20/s", "limits it by `>=`"),
        ] {
            let error = slo(text).unwrap_err();
            assert!(error.contains(mistake), "{text}: {error}");
        }
        assert!(
            slo("cpu_utilization>=0.5").is_ok(),
            "neither side is better"
        );
    }
}
