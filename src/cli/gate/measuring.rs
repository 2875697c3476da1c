//! Options of measuring two versions of a model in turns.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::analysis::gate::Rule;
use crate::cli::Result;
use crate::cli::plan::{self, InputArgs, MeasureArgs, values};
use crate::metric::Level;
use crate::plan::{Flag, Pin};
use crate::text::Plain;
use crate::units::Ratio;

/// How two versions of a model are measured in turns.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Measuring two versions in turns")]
pub(super) struct Measuring {
    /// Wall time of measuring, which ends before where all rules are decided. [default: 2min]
    #[arg(long = Flag::Budget.word(), value_name = "TIME", value_parser = values::duration)]
    budget: Option<Duration>,
    /// Folder for the run that measures them; it must not hold one. [default: onnxprof-runs/TIME-NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Inputs from a file or folder, as for `profile`. [default: what lies beside the models]
    #[arg(long = Flag::Data.word(), value_name = "PATH")]
    data: Option<PathBuf>,
    /// Labels for --data, one for each sample.
    #[arg(long = Flag::Labels.word(), value_name = "FILE", requires = "data")]
    labels: Option<PathBuf>,
    /// Size of a dimension that the models leave open, by its name or as INPUT.AXIS.
    #[arg(long = Flag::Dim.word(), value_name = "NAME=VALUE", value_parser = plan::parse_dim)]
    dims: Vec<(Plain, u64)>,
    /// Sizes of a dimension that the models leave open, as in `dim=seq:16,64`.
    #[arg(long = Flag::Sweep.word(), value_name = "dim=NAME:N,N,...", value_parser = values::swept_dim)]
    sweep: Vec<values::SweptDim>,
    /// Threads that run one operator. [default: the CPUs that this process may use]
    #[arg(long = Flag::IntraThreads.word(), value_name = "N", value_parser = values::threads)]
    intra_threads: Option<u64>,
    /// ONNX Runtime libraries: paths, or versions such as `cpu@1.31.1`.
    #[arg(long = Flag::Runtime.word(), value_name = "PATH|BUILD@VERSION,...", value_delimiter = ',')]
    pub runtime: Vec<String>,
    /// Execution providers. [default: cpu]
    #[arg(long = Flag::Ep.word(), value_name = "NAME,NAME,...", value_delimiter = ',')]
    ep: Vec<String>,
    /// A library of custom operators that is registered with every session.
    #[arg(long = Flag::CustomOps.word(), value_name = "LIB")]
    custom_ops: Vec<PathBuf>,
    /// CPUs of the processes that measure, as for `profile`. [default: auto]
    #[arg(long = Flag::Pin.word(), value_name = "auto|none|LIST", value_parser = values::pin)]
    pin: Option<Pin>,
    /// Seed of the order and of synthesized inputs. [default: 0]
    #[arg(long = Flag::Seed.word(), value_name = "N")]
    seed: Option<u64>,
}

/// Wall time where no budget is named.
const DEFAULT_BUDGET: Duration = Duration::from_secs(120);
/// Half-width at which measuring would end early: the rules say when it does.
pub(super) const TARGET: Ratio = Ratio(1e-6);

impl Measuring {
    fn budget(&self) -> Duration {
        self.budget.unwrap_or(DEFAULT_BUDGET)
    }

    /// The budget of each of several runs.
    pub fn share(&self, count: usize) -> Duration {
        self.budget() / count.max(1) as u32
    }

    /// The folder of one of several runs, if one was named.
    pub fn folder(&self, name: &str, count: usize) -> Option<PathBuf> {
        let out = self.out.as_ref()?;
        Some(if count > 1 {
            out.join(name)
        } else {
            out.clone()
        })
    }

    /// An option that says of models what a run says by itself.
    pub fn of_models(&self) -> Option<&'static str> {
        let given = [
            ("--data", self.data.is_some()),
            ("--dim", !self.dims.is_empty()),
            ("--sweep", !self.sweep.is_empty()),
            ("--intra-threads", self.intra_threads.is_some()),
            ("--ep", !self.ep.is_empty()),
            ("--custom-ops", !self.custom_ops.is_empty()),
            ("--pin", self.pin.is_some()),
            ("--seed", self.seed.is_some()),
        ];
        let mut given = given.into_iter();
        given.find_map(|(option, is_given)| is_given.then_some(option))
    }

    /// Options of `profile` that would measure like this, at the batch sizes and with the requests
    /// in flight that rules name.
    pub fn asked(&self, rules: &[Rule]) -> Result<MeasureArgs> {
        let mut asked = MeasureArgs::defaults()?;
        asked.inputs = InputArgs {
            data: self.data.clone(),
            labels: self.labels.clone(),
            dims: self.dims.clone(),
            ..InputArgs::default()
        };
        asked.load.batch = Some(named(rules, |rule| {
            Some(rule.selectors.batch_size.as_ref()?.value)
        }));
        asked.load.concurrency = named(rules, |rule| {
            Some(rule.selectors.concurrency.as_ref()?.value)
        });
        asked.load.sweep.clone_from(&self.sweep);
        asked.session.intra_threads = self.intra_threads;
        asked.session.runtime.clone_from(&self.runtime);
        asked.session.custom_ops.clone_from(&self.custom_ops);
        if !self.ep.is_empty() {
            asked.providers.ep.clone_from(&self.ep);
        }
        let schedule = &mut asked.schedule;
        schedule.budget = Some(self.budget());
        schedule.seed = self.seed.unwrap_or_default();
        if let Some(pin) = &self.pin {
            schedule.pin = pin.clone();
        }
        Ok(asked)
    }
}

/// Numbers that rules about cells name; 1 for a rule that names none, and where there is no such
/// rule.
fn named(rules: &[Rule], number: fn(&Rule) -> Option<u64>) -> Vec<u64> {
    let of_cells = rules
        .iter()
        .filter(|rule| rule.check.metric.level() == Level::Cell);
    let numbers: BTreeSet<u64> = of_cells.map(|rule| number(rule).unwrap_or(1)).collect();
    if numbers.is_empty() {
        return vec![1];
    }
    numbers.into_iter().collect()
}
