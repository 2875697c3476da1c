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
use std::time::Duration;

use self::named::{Named, Options, not_of_search};
use super::job::{Asked, Beginning, Target};
use super::plan::{self, GoalArgs, Runtimes, SearchArgs};
use super::progress::Console;
use super::runs::{self, folder};
use super::{CliError, output};
use crate::analysis::comparison::host_differences;
use crate::plan::{Plan, RuntimeChoice};
use crate::record::{EndReason, Host, RunRecord};
use crate::runner::{FoundRuntime, Job};
use crate::runtime::{self, Cache, Condition, Lookup};
use crate::store::RunFolder;
use crate::tune::{self, Search};
use crate::units::Nanos;

/// What taking up a search again comes to.
pub(super) enum Taken {
    Up(Box<Job>, Target),
    Done(RunFolder, Box<RunRecord>),
}

/// A search that goes on where it was; its budget counts from its new `beginning`.
pub(super) fn resumed(
    run: &Path,
    goal: &GoalArgs,
    search: &SearchArgs,
    beginning: Beginning,
    console: &mut Console,
) -> Result<Taken, CliError> {
    let run = folder(run);
    let mut record = runs::load(run)?;
    require_search(run, &record, &beginning.host)?;
    let run = std::fs::canonicalize(run).unwrap_or_else(|_| run.to_owned());
    let folder = RunFolder::reopen(&run).map_err(|error| output::store_error(&error))?;
    if record.run.ended_by == Some(EndReason::SearchDone) {
        return Ok(Taken::Done(folder, Box::new(record)));
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
    let job = beginning.job(folder, asked)?;
    let info = record.run.clone();
    let job = Job {
        info,
        guide: Some(Box::new(Search)),
        resumed: Some(Box::new(record)),
        ..job
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
fn budget(goal: &GoalArgs, record: &RunRecord) -> Result<Nanos, CliError> {
    goal.budget
        .map(Nanos::from)
        .or_else(|| tune::time_left(record))
        .filter(|budget| budget.0 > 0)
        .ok_or_else(|| {
            CliError::bad_input(
                "the budget of the search is spent",
                "give it more with `--budget`",
            )
        })
}

/// Makes sure that the run is a search, of this machine.
fn require_search(run: &Path, record: &RunRecord, host: &Host) -> Result<(), CliError> {
    if record.plan.tuning.is_none() {
        let message = format!(
            "`{}` is no search that could be taken up again",
            run.display()
        );
        return Err(CliError::bad_input(
            message,
            "name the folder of a run of `onnxprof tune`",
        ));
    }
    let differences: Vec<&str> = host_differences(&record.host, host)
        .iter()
        .map(|one| one.what)
        .collect();
    if !differences.is_empty() {
        let message = format!(
            "the search ran on another machine: {} differ",
            differences.join(", ")
        );
        return Err(CliError::bad_input(
            message,
            "begin a new search on this machine",
        ));
    }
    Ok(())
}

/// Names everything as seen from the folder in which the search began, which need not be the one in
/// which it goes on.
fn name_absolutely(record: &mut RunRecord) {
    let home = record.run.working_dir.clone();
    let name = |path: &mut PathBuf| *path = absolute(home.join(&*path));
    record
        .plan
        .variants
        .iter_mut()
        .for_each(|variant| name(&mut variant.path));
    record.plan.inputs.data.iter_mut().for_each(name);
    record.plan.inputs.labels.iter_mut().for_each(name);
    for spec in &mut record.plan.sessions {
        if let RuntimeChoice::Script(script) = &mut spec.runtime {
            let before = script.clone();
            name(script);
            record
                .runtimes
                .iter_mut()
                .filter(|known| known.path == before)
                .for_each(|known| name(&mut known.path));
        }
        spec.options.custom_ops.iter_mut().for_each(name);
        spec.provider.library.iter_mut().for_each(name);
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// The runtimes, once every library is the user's own or named again, and called what the user
/// calls it.
fn trusted(
    record: &mut RunRecord,
    args: &SearchArgs,
    console: &mut Console,
) -> Result<Runtimes, CliError> {
    let mut named = match args.space.runtime.as_slice() {
        [] => None,
        words => Some(plan::runtimes(words, console)?),
    };
    named
        .iter_mut()
        .flat_map(|named| &mut named.found)
        .for_each(|found| adopt(record, found));
    let found = runtimes(record, named.as_ref().map(|named| named.found.as_slice()))?;
    name_libraries(&mut record.plan, args)?;
    Ok(Runtimes {
        found,
        installing: named.map_or(Duration::ZERO, |named| named.installing),
    })
}

/// Calls every other library of the sessions what the user calls it, who has to name it again.
fn name_libraries(plan: &mut Plan, args: &SearchArgs) -> Result<(), CliError> {
    let mut ops = Named::files("--custom-ops", &plan::custom_ops(&args.space.custom_ops)?);
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
            let message = format!(
                "the search sets the session configuration `{key}`, which `tune` never does"
            );
            return Err(CliError::bad_input(message, "begin a new search"));
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
    *named = std::path::absolute(&*named).unwrap_or_else(|_| named.clone());
    let Ok(file) = named.canonicalize() else {
        return;
    };
    let is_it = |path: &Path| path.canonicalize().is_ok_and(|path| path == file);
    let sessions = record
        .plan
        .sessions
        .iter_mut()
        .filter_map(|spec| match &mut spec.runtime {
            RuntimeChoice::Script(script) => Some(script),
            RuntimeChoice::Library(_) => None,
        });
    let known = record.runtimes.iter_mut().map(|known| &mut known.path);
    for path in sessions.chain(known).filter(|path| is_it(path)) {
        path.clone_from(named);
    }
}

/// The runtimes of a record's sessions: `named` by the user, or else found as a new search would
/// find them.
fn runtimes(
    record: &RunRecord,
    named: Option<&[FoundRuntime]>,
) -> Result<Vec<FoundRuntime>, CliError> {
    let mut runtimes: Vec<FoundRuntime> = Vec::new();
    for spec in &record.plan.sessions {
        if runtimes.iter().any(|known| known.choice == spec.runtime) {
            continue;
        }
        let again = named
            .into_iter()
            .flatten()
            .find(|found| found.choice == spec.runtime)
            .cloned();
        runtimes.push(match (again, &spec.runtime, named) {
            (Some(found), _, _) => found,
            (None, RuntimeChoice::Library(path), None) => own(path)?,
            (None, script, None) => return Err(not_own(script, "is a script")),
            (None, choice, Some(_)) => return Err(not_own(choice, "`--runtime` does not name")),
        });
    }
    let is_used = |found: &&FoundRuntime| runtimes.iter().any(|used| used.choice == found.choice);
    match named.into_iter().flatten().find(|found| !is_used(found)) {
        Some(unused) => Err(not_of_search(&format!(
            "--runtime {}",
            unused.choice.word()
        ))),
        None => Ok(runtimes),
    }
}

/// The library at `path`, if a new search would take it, or if it is in the cache.
fn own(path: &Path) -> Result<FoundRuntime, CliError> {
    let found = match runtime::find(None).map_err(|error| plan::runtime_error(&error))? {
        Lookup::Found(found) if found.path == path => Some(found.reason()),
        Lookup::Found(_) | Lookup::Missing { .. } => {
            in_cache(path)?.then(|| "in the cache".to_owned())
        }
    };
    let choice = RuntimeChoice::Library(path.to_owned());
    match found {
        Some(found_by) => Ok(FoundRuntime { choice, found_by }),
        None => Err(not_own(&choice, "is none of your own libraries")),
    }
}

/// Whether a library is in the user's cache, as it was installed.
fn in_cache(path: &Path) -> Result<bool, CliError> {
    let Some(release) = Cache::release_of(path) else {
        return Ok(false);
    };
    let library = Cache::locate()
        .and_then(|cache| cache.intact(release))
        .map_err(|error| plan::runtime_error(&error))?;
    Ok(library
        .is_some_and(|library| library.path == path && library.condition == Condition::Intact))
}

fn not_own(choice: &RuntimeChoice, why: &str) -> CliError {
    let danger = match choice {
        RuntimeChoice::Library(_) => "opening a library runs it",
        RuntimeChoice::Script(_) => "a script says how much memory is taken and where time is kept",
    };
    let (path, word) = (choice.path().display(), choice.word());
    let hint = format!("{danger}: if you trust this one, name it again with `--runtime {word}`");
    CliError::bad_input(
        format!("the search measures with `{path}`, which {why}"),
        hint,
    )
}

fn introduce(plan: &Plan, runtimes: &[FoundRuntime], console: &mut Console) {
    let models = plan
        .variants
        .iter()
        .map(|variant| format!("`{}`", variant.path.display()))
        .collect::<Vec<_>>();
    console.say(&format!("taking up the search over {}", models.join(", ")));
    for FoundRuntime { choice, found_by } in runtimes {
        console.say(&format!("with `{}`: {found_by}", choice.path().display()));
    }
    if let Some(data) = &plan.inputs.data {
        console.say(&format!("inputs from `{}`", data.display()));
    }
}
