//! `onnxprof gate`.

mod as_before;
mod init;
mod measuring;
mod publish;
mod subject;
mod versions;

use std::path::{Path, PathBuf};

use self::as_before::AsBefore;
use self::init::{InitArgs, init};
use self::measuring::Measuring;
use self::publish::{Outputs, Published, exit_code, publish};
use self::subject::{Loaded, Subject};
use self::versions::{Measured, Versions};
use super::progress::ConsoleArgs;
use super::refusals::Allowed;
use super::{CliError, Result, exit};
use crate::analysis::gate::{self, Again, Against, Gate, Mistake, Rule, RuleError, Terms, Unfit};
use crate::check::Budget;
use crate::files::{self, Kind};
use crate::record::RunRecord;
use crate::text::{Plain, joined};

/// Holds a run against rules, or two versions of a model that it measures in turns, and tells by
/// its exit code whether they keep them: 0, 5 if a rule failed, 6 if the figures do not decide.
///
/// A rule passes when even the unfavourable end of the interval keeps the budget, and fails when
/// even the favourable end overruns it. `onnxprof gate init RUN` writes rules to begin with.
///
/// `onnxprof gate NEW.onnx --against OLD.onnx --rules FILE` measures both files in turns, as long as
/// a rule is not decided. Runs are taken as they are; where both have the same files, runtime and
/// options, nothing of the model has changed, and their times are measured again in turns.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    check: Check,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Init(InitArgs),
}

#[derive(Debug, clap::Args)]
struct Check {
    /// Folder of a run, or its run.json; or a model file, to be measured beside the older one that
    /// `--against` names.
    #[arg(required = true, value_name = "RUN|MODEL")]
    run: Option<PathBuf>,

    /// Rule file (TOML): tables `[[rule]]` with `check`, such as "latency_p99 <= 20 ms",
    /// "latency_p50 <= 1.05 x baseline" or "ship" (what the report says), and optionally what it is for: `variant`, `ep`, `runtime`,
    /// `binding`, `batch_size`, `concurrency`, `shape` and `dims`; under load `rate` and `serving`.
    #[arg(long, value_name = "FILE", required = true)]
    rules: Option<PathBuf>,

    /// Run that rules about the baseline compare with, variant by variant; or a model file. Of a run
    /// and a model file, the run's own file is measured again as the run did, if it is still the
    /// same. [default: the run's own baseline variant]
    #[arg(long, value_name = "BASELINE_RUN|MODEL")]
    against: Option<PathBuf>,

    #[command(flatten)]
    allowed: Allowed,

    #[command(flatten)]
    measuring: Option<Measuring>,

    #[command(flatten)]
    outputs: Outputs,

    #[command(flatten)]
    console: ConsoleArgs,
}

pub fn run(args: Args) -> Result<u8> {
    match (args.command, &args.check.run, &args.check.rules) {
        (Some(Command::Init(args)), _, _) => init(&args),
        (None, Some(run), Some(rules)) => check(&args.check, run, rules),
        // Both are required by the command line.
        (None, _, _) => Err(CliError::message(
            exit::USAGE,
            "a run and `--rules` are needed",
        )),
    }
}

/// What a gate is made of, read from the words.
struct Asked<'a> {
    args: &'a Check,
    rules: Vec<Rule>,
    path: &'a Path,
    measuring: Measuring,
}

fn check(args: &Check, run: &Path, rules: &Path) -> Result<u8> {
    let asked = Asked {
        args,
        rules: read_rules(rules)?,
        path: rules,
        measuring: args.measuring.clone().unwrap_or_default(),
    };
    let subject = Subject::read(run)?;
    let against = args.against.as_deref().map(Subject::read).transpose()?;
    match (subject, against) {
        (Subject::Run(run), None) => asked.of_run(&run),
        (Subject::Run(run), Some(Subject::Run(against))) => asked.of_runs(&run, &against),
        (Subject::Model(new), Some(Subject::Model(old))) => {
            asked.of_versions(&Versions { old, new })
        }
        (Subject::Model(new), Some(Subject::Run(run))) => {
            let variant = run.variant_like(&new)?;
            let old = run.file(variant)?;
            asked.of_version_and_run(&run, variant, Versions { old, new })
        }
        (Subject::Run(run), Some(Subject::Model(old))) => {
            let variant = run.variant_like(&old)?;
            let new = run.file(variant)?;
            asked.of_version_and_run(&run, variant, Versions { old, new })
        }
        (Subject::Model(model), None) => Err(alone(&model)),
    }
}

fn alone(model: &Path) -> CliError {
    CliError::usage(
        format!("there is nothing to gate `{}` against", model.display()),
        "name the older version with `--against OLD.onnx`; or `onnxprof profile` the model and gate the run",
    )
}

fn read_rules(path: &Path) -> Result<Vec<Rule>> {
    let text = files::text(path, Kind::RULES).map_err(|error| {
        CliError::of(error)
            .causing(format!("failed to read the rules in `{}`", path.display()))
            .with_hint("write one with `onnxprof gate init RUN --output gate.toml`")
    })?;
    gate::rules(&text).map_err(|error| rule_error(path, &error))
}

impl Asked<'_> {
    fn terms<'a>(&self, against: Against<'a>) -> Terms<'a> {
        Terms {
            against,
            unfit: match self.args.allowed.accept_invalid {
                true => Unfit::Counts,
                false => Unfit::DecidesNothing,
            },
        }
    }

    fn gate(&self, run: &Loaded, against: Against<'_>) -> Result<Gate> {
        gate::gate(&self.rules, run.run(), self.terms(against))
            .map_err(|error| rule_error(self.path, &error))
    }

    fn publish(&self, found: &Gate, run: &str) -> Result<u8> {
        let published = Published {
            found,
            run,
            rules: self.path,
        };
        publish(&self.args.outputs, &published, self.args.console.style())?;
        Ok(exit_code(found.verdict, self.args.outputs.inconclusive))
    }

    fn of_run(&self, run: &Loaded) -> Result<u8> {
        if self.args.measuring.is_some() {
            return Err(CliError::usage(
                "options of measuring go with two versions of a model, and a run is measured already",
                "leave them out, or name an older version with `--against`",
            ));
        }
        let found = self.gate(run, Against::OwnBaseline)?;
        self.publish(&found, run.record.run.name.exact())
    }

    fn of_runs(&self, run: &Loaded, against: &Loaded) -> Result<u8> {
        common_variant(&run.record, &against.record, &against.path)?;
        self.args
            .allowed
            .check_variants(&run.record, &against.record)?;
        for one in [run, against] {
            self.args
                .allowed
                .check_machine(&one.path, one.record.fitness.as_ref())?;
        }
        let again = self.again(run, against)?;
        let runs: Vec<Again<'_>> = again
            .iter()
            .filter_map(|again| {
                Some(Again {
                    variant: again.variant,
                    run: again.measured.as_ref().ok()?.loaded.run(),
                })
            })
            .collect();
        let mut found = self.gate(
            run,
            Against::Run {
                run: against.run(),
                again: &runs,
            },
        )?;
        found
            .remarks
            .extend(again.iter().map(|again| again.remark(run)));
        let code = self.publish(&found, run.record.run.name.exact())?;
        again
            .into_iter()
            .filter_map(|again| again.measured.ok())
            .try_for_each(|measured| measured.failures.into_result())?;
        Ok(code)
    }

    /// Variants of the same files in both runs, measured again as far as a rule about their times
    /// compares them.
    fn again(&self, run: &Loaded, against: &Loaded) -> Result<Vec<Remeasured>> {
        self.refuse_options_of_models()?;
        let same = gate::variants_of_same_files(&run.record, &against.record);
        let worth: Vec<usize> = same
            .into_iter()
            .filter(|&variant| !self.rules_on_times(run, variant).is_empty())
            .collect();
        if worth.is_empty() && self.args.measuring.is_some() {
            return Err(CliError::usage(
                "nothing is to be measured: no rule compares times of the same files, runtime and options",
                "leave out the options of measuring, or name the two model files",
            ));
        }
        let mut console = self.args.console.console();
        let count = worth.len();
        Ok(worth
            .into_iter()
            .map(|variant| Remeasured {
                variant,
                measured: run.file(variant).and_then(|file| {
                    let before = AsBefore {
                        run,
                        variant,
                        versions: Versions {
                            old: file.clone(),
                            new: file,
                        },
                        name: run.name(variant).to_owned(),
                        count,
                        measuring: &self.measuring,
                    };
                    before.measured(&self.rules_on_times(run, variant), &mut console)
                }),
            })
            .collect())
    }

    /// Rules that compare times of a variant.
    fn rules_on_times(&self, run: &Loaded, variant: usize) -> Vec<Rule> {
        let on_times = self.rules.iter().filter(|rule| compares_times(rule));
        on_times
            .filter(|rule| {
                let named = rule.selectors.variant.as_ref();
                named.is_none_or(|named| run.is_called(variant, &named.value))
            })
            .cloned()
            .collect()
    }

    fn refuse_options_of_models(&self) -> Result<()> {
        match self.measuring.of_models() {
            Some(option) => Err(CliError::usage(
                format!("`{option}` goes with two model files: of a run, the run itself says it"),
                "leave it out, or name the model files",
            )),
            None => Ok(()),
        }
    }

    fn of_versions(&self, versions: &Versions) -> Result<u8> {
        self.args
            .allowed
            .check_files(&versions.old, &versions.new)?;
        let mut console = self.args.console.console();
        self.of_measured(versions::measured(
            versions,
            &self.measuring,
            &self.rules,
            &mut console,
        )?)
    }

    fn of_version_and_run(&self, run: &Loaded, variant: usize, versions: Versions) -> Result<u8> {
        self.args
            .allowed
            .check_files(&versions.old, &versions.new)?;
        self.refuse_options_of_models()?;
        let before = AsBefore {
            run,
            variant,
            name: versions.new_name(&self.rules),
            versions,
            count: 1,
            measuring: &self.measuring,
        };
        let mut console = self.args.console.console();
        self.of_measured(before.measured(&self.rules, &mut console)?)
    }

    fn of_measured(&self, measured: Measured) -> Result<u8> {
        let Measured { loaded, failures } = measured;
        let mut found = self.gate(&loaded, Against::OlderVersion)?;
        found.remarks.push(
            format!(
                "both versions were measured in turns; the run is in `{}`",
                loaded.path.display()
            )
            .into(),
        );
        let code = self.publish(&found, loaded.record.run.name.exact())?;
        failures.into_result()?;
        Ok(match loaded.record.is_complete() {
            true => code,
            false => exit::PARTIAL,
        })
    }
}

fn compares_times(rule: &Rule) -> bool {
    let is_relative = match rule.check.budget {
        Budget::TimesBaseline(_) | Budget::Drop(_) => true,
        Budget::Absolute(_) | Budget::Judgement => false,
    };
    gate::is_timing(rule.check.metric) && is_relative
}

/// A variant of the same files in both runs, measured again; or why it was not.
struct Remeasured {
    variant: usize,
    measured: Result<Measured>,
}

impl Remeasured {
    fn remark(&self, run: &Loaded) -> Plain {
        let name = run.name(self.variant);
        match &self.measured {
            Ok(measured) => format!(
                "{name}: both runs have the same files, runtime and options; times were measured again in turns, in `{}`",
                measured.loaded.path.display()
            ),
            Err(error) => format!(
                "{name}: both runs have the same files, runtime and options, and their ratio is taken as 1; times were not \
                 measured again: {}",
                // What comes before it says as much.
                error.chain.last().map_or("", String::as_str)
            ),
        }
        .into()
    }
}

/// Refuses a baseline run that has no variant of the run.
fn common_variant(run: &RunRecord, against: &RunRecord, path: &Path) -> Result<()> {
    let (own, other) = (variant_names(run), variant_names(against));
    if own.iter().any(|name| other.contains(name)) {
        return Ok(());
    }
    let (own, other) = (joined(own), joined(other));
    let cause = format!("the run has {own}, the baseline run {other}");
    let path = path.display();
    Err(
        CliError::bad_input(cause, "measure files of the same name in both").causing(format!(
            "the run and the baseline run `{path}` have no variant in common"
        )),
    )
}

fn variant_names(record: &RunRecord) -> Vec<&str> {
    record
        .plan
        .variants
        .iter()
        .map(|variant| variant.name.exact())
        .collect()
}

fn rule_error(path: &Path, error: &RuleError) -> CliError {
    let RuleError { line, mistake } = error;
    let hint = match mistake {
        Mistake::Toml(_) | Mistake::Empty => {
            "a rule is a table `[[rule]]` with `check`, and optionally `variant`, `ep`, `runtime`, `binding`, `batch_size`, \
             `concurrency`, `shape`, `dims`, and under load `rate` and `serving`"
        }
        Mistake::Check(_) => {
            "checks read like `latency_p99 <= 20 ms` or `latency_p50 <= 1.05 x baseline`; `cells.csv` of a run names the metrics"
        }
        Mistake::Unknown(..)
        | Mistake::UnknownNumber(..)
        | Mistake::UnknownSize(..)
        | Mistake::OfSession(..)
        | Mistake::NotUnderLoad(..)
        | Mistake::OverRates(_)
        | Mistake::Nothing
        | Mistake::BaselineAlone => "name what the run has, or measure what the rule names",
    };
    CliError::bad_input(
        format!("`{}`, line {line}: {mistake}", path.display()),
        hint,
    )
}
