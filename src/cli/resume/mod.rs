//! Taking up a search again in its folder, which may have come from anywhere: nothing is opened for
//! the reason alone that a record names it.
//!
//! Libraries run code when they are opened. Those of ONNX Runtime are the user's own, by the
//! look-up of a new search or in the cache, or named once more; those of custom operators and
//! execution providers are named once more. So is a script, which says how much memory is taken and
//! where time is kept. Models and data are no code: they are read where they were, and are said; a
//! model that is another file than before ends it.

mod named;

use std::path::{Path, PathBuf};

use self::named::{Named, Options, not_of_search};
use super::job::{Asked, Beginning, Target};
use super::plan::{self, GoalArgs, Runtimes, SearchArgs};
use super::progress::Console;
use super::runs::{self, folder};
use super::{CliError, Result};
use crate::analysis::comparison::host_differences;
use crate::plan::{Plan, RuntimeChoice};
use crate::record::{EndReason, Host, RunRecord};
use crate::runner::{Course, FoundRuntime, Job, Ran};
use crate::runtime::{self, Cache, Lookup};
use crate::store::RunFolder;
use crate::text::{distinct, joined};
use crate::tune::{self, Search};
use crate::units::Nanos;

/// Outcome of taking up a search again.
pub(super) enum Taken {
    Up(Box<Job>, Target),
    Done(Box<Ran>),
}

/// A search that goes on where it was; its budget counts from its new `beginning`.
pub(super) fn resumed(
    run: &Path,
    goal: &GoalArgs,
    search: &SearchArgs,
    beginning: Beginning,
    console: &mut Console,
) -> Result<Taken> {
    let run = folder(run);
    let mut record = runs::load(run)?;
    require_search(run, &record, &beginning.host)?;
    let run = std::fs::canonicalize(run).unwrap_or_else(|_| run.to_owned());
    let folder = RunFolder::reopen(&run)?;
    if record.run.ended_by == Some(EndReason::SearchDone) {
        return Ok(Taken::Done(Box::new(Ran {
            folder,
            record,
            unwritten: None,
        })));
    }
    let budget = budget(goal, &record)?;
    name_absolutely(&mut record);
    let runtimes = trusted(&mut record, search, console)?;
    introduce(&record.plan, &runtimes.found, console);
    let mut plan = record.plan.clone();
    plan.schedule.budget_ns = Some(budget);
    let asked = Asked {
        name: record.run.name.exact().to_owned(),
        plan,
        runtimes,
        notes: Vec::new(),
    };
    let job = Job {
        info: record.run.clone(),
        course: Course::Search(Box::new(Search)),
        resumed: Some(Box::new(record)),
        ..beginning.job(folder, asked)?
    };
    Ok(Taken::Up(
        Box::new(job),
        Target {
            path: run,
            existed: true,
        },
    ))
}

/// The time that is asked for, or else what is left of the search's.
fn budget(goal: &GoalArgs, record: &RunRecord) -> Result<Nanos> {
    goal.budget
        .map(Nanos::from)
        .or_else(|| tune::time_left(record))
        .ok_or_else(|| {
            CliError::bad_input(
                "the budget of the search is spent",
                "give it more with `--budget`",
            )
        })
}

/// Makes sure that the run is a search, of this machine.
fn require_search(run: &Path, record: &RunRecord, host: &Host) -> Result<()> {
    let differences = host_differences(&record.host, host);
    let (message, hint) = if record.plan.tuning.is_none() {
        (
            format!(
                "`{}` is no search that could be taken up again",
                run.display()
            ),
            "name the folder of a run of `onnxprof tune`",
        )
    } else if !differences.is_empty() {
        let differences = joined(differences.iter().map(|one| one.what));
        (
            format!("the search ran on another machine: {differences} differ"),
            "begin a new search on this machine",
        )
    } else {
        return Ok(());
    };
    Err(CliError::bad_input(message, hint))
}

/// Names everything as seen from the folder in which the search began, which need not be the one in
/// which it goes on.
fn name_absolutely(record: &mut RunRecord) {
    let home = record.run.working_dir.clone();
    let name = |path: &mut PathBuf| *path = absolute(&home.join(&*path));
    let plan = &mut record.plan;
    plan.variants
        .iter_mut()
        .for_each(|variant| name(&mut variant.path));
    plan.inputs
        .data
        .iter_mut()
        .chain(&mut plan.inputs.labels)
        .chain(&mut plan.named.models)
        .for_each(name);
    for spec in &mut plan.sessions {
        if let RuntimeChoice::Script(script) = &mut spec.runtime {
            let before = script.clone();
            name(script);
            record
                .runtimes
                .iter_mut()
                .map(|known| &mut known.path)
                .filter(|path| **path == before)
                .for_each(name);
        }
        spec.options
            .custom_ops
            .iter_mut()
            .chain(&mut spec.provider.library)
            .for_each(name);
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The runtimes, once every library is the user's own or named again, and called what the user
/// calls it.
fn trusted(record: &mut RunRecord, args: &SearchArgs, console: &mut Console) -> Result<Runtimes> {
    let words = &args.space.runtime;
    let mut named = if words.is_empty() {
        None
    } else {
        Some(plan::runtimes(words, console)?)
    };
    let found = named.iter_mut().flat_map(|named| &mut named.found);
    found.for_each(|found| adopt(record, found));
    let found = runtimes(record, named.as_ref().map(|named| named.found.as_slice()))?;
    name_libraries(&mut record.plan, args)?;
    let installing = named.map(|named| named.installing).unwrap_or_default();
    Ok(Runtimes { found, installing })
}

/// Calls every other library of the sessions what the user calls it, who has to name it again.
fn name_libraries(plan: &mut Plan, args: &SearchArgs) -> Result<()> {
    let mut ops = Named::files(&plan::custom_ops(&args.space.custom_ops)?);
    let mut providers = Named::libraries(plan::libraries(&args.providers)?);
    let mut options = Options::new(&args.providers.ep_option);
    for spec in &mut plan.sessions {
        for library in &mut spec.options.custom_ops {
            *library = ops.again(library, "", "registers the custom operators of")?;
        }
        if let Some(library) = &mut spec.provider.library {
            *library = providers.again(library, spec.execution_provider.exact(), "runs on")?;
        }
        options.check(spec.execution_provider.exact(), &spec.provider)?;
        if let Some(key) = spec.options.session_config.keys().next() {
            return Err(CliError::bad_input(
                format!(
                    "the search sets the session configuration `{}`, which `tune` never does",
                    key.exact()
                ),
                "begin a new search",
            ));
        }
    }
    ops.all_used()?;
    providers.all_used()?;
    options.all_used()
}

/// Calls a script of the search what the user calls it who names it again.
fn adopt(record: &mut RunRecord, found: &mut FoundRuntime) {
    let RuntimeChoice::Script(named) = &mut found.choice else {
        return;
    };
    *named = absolute(named);
    let Ok(file) = named.canonicalize() else {
        return;
    };
    for path in record
        .plan
        .sessions
        .iter_mut()
        .filter_map(|spec| match &mut spec.runtime {
            RuntimeChoice::Script(script) => Some(script),
            RuntimeChoice::Library(_) | RuntimeChoice::Server(_) => None,
        })
        .chain(record.runtimes.iter_mut().map(|known| &mut known.path))
    {
        if path.canonicalize().is_ok_and(|path| path == file) {
            path.clone_from(named);
        }
    }
}

/// The runtimes of a record's sessions: `named` by the user, or else found as a new search would
/// find them.
fn runtimes(record: &RunRecord, named: Option<&[FoundRuntime]>) -> Result<Vec<FoundRuntime>> {
    let mut runtimes: Vec<FoundRuntime> = Vec::new();
    for choice in distinct(record.plan.sessions.iter().map(|spec| &spec.runtime)) {
        let again = named
            .unwrap_or_default()
            .iter()
            .find(|found| found.choice == *choice);
        runtimes.push(match (again, choice, named) {
            (Some(found), _, _) => found.clone(),
            (None, RuntimeChoice::Library(path), None) => own(path)?,
            (None, script @ RuntimeChoice::Script(_), None) => {
                return Err(not_own(script, "is a script"));
            }
            (None, server @ RuntimeChoice::Server(_), None) => {
                return Err(not_own(server, "is a server"));
            }
            (None, choice, Some(_)) => return Err(not_own(choice, "`--runtime` does not name")),
        });
    }
    match named
        .unwrap_or_default()
        .iter()
        .find(|found| runtimes.iter().all(|used| used.choice != found.choice))
    {
        Some(unused) => {
            let word = unused.choice.word();
            Err(not_of_search(&format!("--runtime {word}")))
        }
        None => Ok(runtimes),
    }
}

/// The library at `path`, if a new search would take it, or if it is in the cache.
pub(super) fn own(path: &Path) -> Result<FoundRuntime> {
    let choice = RuntimeChoice::Library(path.to_owned());
    let found_by = match runtime::find(None)? {
        Lookup::Found(found) if found.path == path => found.reason(),
        Lookup::Found(_) | Lookup::Missing { .. } if in_cache(path)? => "in the cache".to_owned(),
        Lookup::Found(_) | Lookup::Missing { .. } => {
            return Err(not_own(&choice, "is none of your own libraries"));
        }
    };
    Ok(FoundRuntime {
        choice,
        found_by,
        release: None,
    })
}

/// Whether a library is in the user's cache, as it was installed.
fn in_cache(path: &Path) -> Result<bool> {
    let Some(release) = Cache::release_of(path) else {
        return Ok(false);
    };
    let library = Cache::locate()?.intact(release)?;
    Ok(library.is_some_and(|library| library.path == path))
}

fn not_own(choice: &RuntimeChoice, why: &str) -> CliError {
    let danger = match choice {
        RuntimeChoice::Library(_) => "opening a library runs it",
        RuntimeChoice::Script(_) => "a script says how much memory is taken and where time is kept",
        RuntimeChoice::Server(_) => "requests go only where you point them",
    };
    let (path, word) = (choice.path().display(), choice.word());
    CliError::bad_input(
        format!("the search measures with `{path}`, which {why}"),
        format!("{danger}: if you trust this one, name it again with `--runtime {word}`"),
    )
}

fn introduce(plan: &Plan, runtimes: &[FoundRuntime], console: &mut Console) {
    let models = joined(
        plan.variants
            .iter()
            .map(|variant| format!("`{}`", variant.path.display())),
    );
    console.say(&format!("taking up the search over {models}"));
    for FoundRuntime {
        choice, found_by, ..
    } in runtimes
    {
        console.say(&format!("with `{}`: {found_by}", choice.path().display()));
    }
    if let Some(data) = &plan.inputs.data {
        console.say(&format!("inputs from `{}`", data.display()));
    }
}
