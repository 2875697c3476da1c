//! Two versions of a model, measured in turns for the rules of a gate.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::subject::Loaded;
use crate::analysis::gate::{Against, Rule, Terms, Unfit};
use crate::analysis::{self, gate};
use crate::cli::job::{Asked, Beginning, Target};
use crate::cli::output::{Failures, Printed, Reports};
use crate::cli::plan::{self, Family, InputArgs, MeasureArgs, Runtimes, values};
use crate::cli::progress::Console;
use crate::cli::{CliError, Result, ending, resume};
use crate::metric::Level;
use crate::plan::{CellKey, Flag, Pin, Plan, RuntimeChoice, SessionSpec, SweepEnd, Variant};
use crate::record::RunRecord;
use crate::report::Color;
use crate::runner::{Course, Extent, Goal, Job, Ran};
use crate::text::{Plain, distinct};
use crate::units::{Nanos, Ratio};

/// How two versions of a model are measured in turns.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Measuring two versions in turns")]
pub(super) struct Measuring {
    /// Wall time of measuring, which ends before where all rules are decided. [default: 2min]
    #[arg(long = Flag::Budget.word(), value_name = "TIME", value_parser = values::duration)]
    budget: Option<Duration>,
    /// Folder for the run that measures them; it must not hold one. [default: onnxprof-runs/TIME-NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
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
    runtime: Vec<String>,
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
const TARGET: Ratio = Ratio(1e-6);
/// Name of the older version.
const OLD: &str = "old";
/// Name of the newer version, where no rule names it.
const NEW: &str = "new";

impl Measuring {
    fn budget(&self) -> Duration {
        self.budget.unwrap_or(DEFAULT_BUDGET)
    }

    /// The budget of each of several runs.
    fn share(&self, count: usize) -> Duration {
        self.budget() / count.max(1) as u32
    }

    /// The folder of one of several runs, if one was named.
    fn folder(&self, name: &str, count: usize) -> Option<PathBuf> {
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
    fn asked(&self, rules: &[Rule]) -> Result<MeasureArgs> {
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

/// Two versions of a model, by their files.
pub(super) struct Versions {
    pub old: PathBuf,
    pub new: PathBuf,
}

impl Versions {
    /// What rules call the newer one: the name of a variant of theirs that its file's name is or ends
    /// with.
    pub fn new_name(&self, rules: &[Rule]) -> String {
        let stem = self.new.file_stem().unwrap_or_default().to_string_lossy();
        rules
            .iter()
            .filter_map(|rule| rule.selectors.variant.as_ref())
            .map(|variant| variant.value.as_str())
            .find(|name| *name != OLD && is_named(&stem, name))
            .unwrap_or(NEW)
            .to_owned()
    }

    fn variants(&self, new: &str) -> Vec<Variant> {
        [(OLD, &self.old), (new, &self.new)]
            .map(|(name, path)| Variant {
                name: name.into(),
                path: path.clone(),
            })
            .to_vec()
    }
}

/// Whether a file's name is that name, or ends with it as a word: `digits-int8` is `int8`.
fn is_named(stem: &str, name: &str) -> bool {
    stem.strip_suffix(name)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with(['-', '_', '.']))
}

/// A run that measured two versions, in its folder.
pub(super) struct Measured {
    pub loaded: Loaded,
    pub failures: Failures,
}

/// Measures two versions as options say.
pub(super) fn measured(
    versions: &Versions,
    measuring: &Measuring,
    rules: &[Rule],
    console: &mut Console,
) -> Result<Measured> {
    let beginning = Beginning::now();
    let asked = measuring.asked(rules)?;
    let family = family(versions, rules, &asked.inputs)?;
    let runtimes = plan::runtimes(&asked.session.runtime, console)?;
    let mut plan = plan::profile::plan(&asked, &family, &runtimes.found, &beginning.host)?;
    plan.schedule.target_half_width_ratio = TARGET;
    console.introduce(&plan, &beginning.host);
    let notes = [family.notes, plan::notes_on(&plan, &beginning.host)].concat();
    let path = beginning.folder(&measuring.out, &family.name);
    let asked = Asked {
        name: family.name,
        plan,
        runtimes,
        notes,
    };
    let (job, target) = beginning.job_at(path, asked)?;
    run(job, &target, rules, console)
}

/// As variants of which the older one is the baseline, however the files are called.
fn family(versions: &Versions, rules: &[Rule], inputs: &InputArgs) -> Result<Family> {
    let Versions { old, new } = versions;
    // What makes a file the baseline is that it is the older one.
    let family = plan::family(&[old.clone(), new.clone()], old.to_str(), inputs)?;
    Ok(Family {
        name: new
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        variants: versions.variants(&versions.new_name(rules)),
        ..family
    })
}

/// Two versions of a variant's file, to be measured as a run did it.
pub(super) struct AsBefore<'a> {
    pub run: &'a Loaded,
    pub variant: usize,
    pub versions: Versions,
    /// What rules call the newer version.
    pub name: String,
    /// Runs that share the budget.
    pub count: usize,
    pub measuring: &'a Measuring,
}

impl AsBefore<'_> {
    pub(super) fn measured(&self, rules: &[Rule], console: &mut Console) -> Result<Measured> {
        let beginning = Beginning::now();
        let plan = self.plan()?;
        require_no_libraries(&plan)?;
        let runtimes = self.runtimes(&plan, console)?;
        console.introduce(&plan, &beginning.host);
        let folder = self.measuring.folder(&self.name, self.count);
        let path = beginning.folder(&folder, &self.name);
        let asked = Asked {
            name: self.name.clone(),
            plan,
            runtimes,
            notes: Vec::new(),
        };
        let (job, target) = beginning.job_at(path, asked)?;
        run(job, &target, rules, console)
    }

    /// The run's plan, for these two files.
    fn plan(&self) -> Result<Plan> {
        let RunRecord { plan, run, .. } = &self.run.record;
        if plan.tuning.is_some() {
            return Err(CliError::bad_input(
                "the run is a search, whose configurations are not measured again",
                "name the two model files",
            ));
        }
        let home = |path: &PathBuf| run.working_dir.join(path);
        let mut plan = Plan {
            variants: self.versions.variants(&self.name),
            baseline: 0,
            sessions: self.sessions(plan),
            sweep_end: SweepEnd::Listed,
            idle_gaps_ns: Vec::new(),
            latency_limit_ns: None,
            ..plan.clone()
        };
        plan.inputs.data = plan.inputs.data.as_ref().map(home);
        plan.inputs.labels = plan.inputs.labels.as_ref().map(home);
        let schedule = &mut plan.schedule;
        schedule.budget_ns = Some(Nanos::from(self.measuring.share(self.count)));
        schedule.rounds_count = None;
        schedule.alternations_count = None;
        schedule.target_half_width_ratio = TARGET;
        Ok(plan)
    }

    /// The runtimes of the plan: those that are named again, or else the user's own.
    fn runtimes(&self, plan: &Plan, console: &mut Console) -> Result<Runtimes> {
        let words = &self.measuring.runtime;
        let named = match words.is_empty() {
            true => None,
            false => Some(plan::runtimes(words, console)?),
        };
        let mut found = Vec::new();
        for choice in distinct(plan.sessions.iter().map(|spec| &spec.runtime)) {
            let again = named.iter().flat_map(|named| &named.found);
            let again = again.clone().find(|found| found.choice == *choice).cloned();
            found.push(match (again, choice) {
                (Some(again), _) => again,
                (None, RuntimeChoice::Library(path)) if named.is_none() => {
                    resume::own(path).map_err(|_| not_own(choice))?
                }
                (None, RuntimeChoice::Library(_) | RuntimeChoice::Script(_)) => {
                    return Err(not_own(choice));
                }
            });
        }
        Ok(Runtimes {
            found,
            installing: named.map(|named| named.installing).unwrap_or_default(),
        })
    }

    /// Each session of the variant once for each version.
    fn sessions(&self, plan: &Plan) -> Vec<SessionSpec> {
        let own = plan
            .sessions
            .iter()
            .filter(|spec| spec.variant == self.variant);
        [0, 1]
            .into_iter()
            .flat_map(|variant| {
                own.clone().map(move |spec| SessionSpec {
                    variant,
                    ..spec.clone()
                })
            })
            .collect()
    }
}

/// Libraries run code when they are opened, and a record may have come from anywhere.
fn not_own(choice: &RuntimeChoice) -> CliError {
    CliError::bad_input(
        format!(
            "the run measured with `{}`, which is none of your own libraries",
            choice.path().display()
        ),
        format!(
            "if you trust it, name it again with `--runtime {}`",
            choice.word()
        ),
    )
}

/// Libraries beside the runtime, and options that may name some, are not taken from a record.
fn require_no_libraries(plan: &Plan) -> Result<()> {
    let has_any = plan.sessions.iter().any(|spec| {
        !spec.options.custom_ops.is_empty()
            || !spec.options.session_config.is_empty()
            || !spec.provider.options.is_empty()
            || spec.provider.library.is_some()
    });
    if has_any {
        return Err(CliError::bad_input(
            "the run has libraries or options that may name some, and opening a library runs it",
            "name the two model files, with the options that you trust",
        ));
    }
    Ok(())
}

fn run(mut job: Job, target: &Target, rules: &[Rule], console: &mut Console) -> Result<Measured> {
    let mut metrics = rules.iter().map(|rule| rule.check.metric);
    job.extent = if metrics.any(gate::is_of_outputs) {
        Extent::Scored
    } else {
        Extent::Rounds
    };
    job.course = Course::Until(Box::new(Decided {
        rules: rules.to_vec(),
    }));
    let ran = ending::measured(job, target, console)?;
    let measured = written(ran)?;
    console.release();
    Ok(measured)
}

/// Writes the reports of a run into its folder.
fn written(mut ran: Ran) -> Result<Measured> {
    if let Some(error) = ending::nothing_measured(&ran.record) {
        return Err(error);
    }
    let mut failures = Failures::default();
    failures.add(ending::unwritten(&mut ran));
    Reports::render(&ran, Printed::Summary(Color::Never.into()), None).write(&mut failures);
    let Ran { folder, record, .. } = ran;
    Ok(Measured {
        loaded: Loaded::of(folder.path().to_owned(), record),
        failures,
    })
}

/// The rules that a run of two versions is made for.
#[derive(Debug)]
struct Decided {
    rules: Vec<Rule>,
}

impl Goal for Decided {
    fn undecided(&self, record: &RunRecord) -> BTreeSet<CellKey> {
        let findings = analysis::findings(record);
        let run = gate::Run {
            record,
            findings: &findings,
        };
        let terms = Terms {
            against: Against::OlderVersion,
            unfit: Unfit::Counts,
        };
        // A mistake in the rules is told when the run has ended.
        gate::undecided(&self.rules, run, terms).unwrap_or_else(|_| record.plan.cells().collect())
    }
}
