//! Display of a run while it goes on, on stderr: one live line on a terminal, plain lines
//! elsewhere.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::so_far::SoFar;
use super::{output, say};
use crate::analysis::RunJudgement;
use crate::plan::{LoadMode, Plan};
use crate::record::{EndReason, Failure, Host, RunRecord, Stage};
use crate::report::Style;
use crate::report::view::text;
use crate::runner::{Observer, Progress};
use crate::text::{Plain, joined};

#[derive(Debug, clap::Args)]
pub(super) struct ConsoleArgs {
    /// Prints the result only: no progress.
    #[arg(long, short)]
    quiet: bool,
    /// Prints without colour, whatever the terminal. The environment variable `NO_COLOR` does the
    /// same.
    #[arg(long)]
    no_color: bool,
}

impl ConsoleArgs {
    pub(super) fn console(&self) -> Console {
        if self.quiet {
            Console::silent()
        } else {
            Console::new()
        }
    }

    pub(super) fn style(&self) -> Style {
        output::style(self.no_color)
    }
}

#[derive(Debug)]
pub(super) struct Console {
    mode: Mode,
    /// Advice that was given: once is enough.
    hints: BTreeSet<Plain>,
    last: String,
    /// Round under load of which something was said.
    last_loaded: u64,
    /// Whether there is one session, so that an error at the end says all that its failure did.
    is_single: bool,
    /// A failure of it that is told unless that error comes next.
    held: Option<(String, Failure)>,
    /// The first answer while the run goes on.
    so_far: Option<SoFar>,
}

#[derive(Debug)]
enum Mode {
    Quiet,
    Lines,
    Live(Live),
}

/// Two lines of a terminal that stay below all that is printed.
#[derive(Debug)]
struct Live {
    lines: MultiProgress,
    /// What is happening now.
    now: ProgressBar,
    /// The answer so far; absent before there is one.
    answer: Option<ProgressBar>,
}

impl Console {
    fn new() -> Self {
        Console::with(if io::stderr().is_terminal() {
            Mode::Live(Live::new(ProgressDrawTarget::stderr_with_hz(4)))
        } else {
            Mode::Lines
        })
    }

    pub(super) fn silent() -> Self {
        Console::with(Mode::Quiet)
    }

    fn with(mode: Mode) -> Self {
        Console {
            mode,
            hints: BTreeSet::new(),
            last: String::new(),
            last_loaded: 0,
            is_single: false,
            held: None,
            so_far: None,
        }
    }

    pub(super) fn say(&mut self, sentence: &str) {
        match &self.mode {
            Mode::Quiet => {}
            Mode::Lines => say::aside(sentence),
            Mode::Live(live) => live.now.println(text::plain(sentence)),
        }
    }

    fn warn(&mut self, what: &str, failure: &Failure) {
        self.say(&format!("warning: {what}: {}", failure.message.exact()));
        if let Some(hint) = &failure.hint
            && self.hints.insert(hint.clone())
        {
            self.say(&format!("hint: {}", hint.exact()));
        }
    }

    /// Says what is happening now: it goes with the next such thing on a terminal, and stays
    /// elsewhere.
    fn now(&mut self, sentence: &str) {
        match &self.mode {
            Mode::Live(live) => live.now.set_message(text::plain(sentence)),
            _ if self.last == sentence => {}
            _ => self.say(sentence),
        }
        sentence.clone_into(&mut self.last);
    }

    /// Says each segment on a live line, and elsewhere the first one of a round.
    fn loading(&mut self, round: u64, progress: &Progress<'_>) {
        if matches!(self.mode, Mode::Live(_)) || self.last_loaded != round {
            self.last_loaded = round;
            self.now(&words(progress));
        }
    }

    /// Says something that only a live line can afford to say.
    fn detail(&mut self, sentence: &str) {
        if let Mode::Live(live) = &self.mode {
            live.now.set_message(text::plain(sentence));
        }
    }

    /// A failure of the only session is held back until something else happens.
    fn fail(&mut self, session: &str, failure: &Failure) {
        if self.is_single {
            self.held = Some((session.to_owned(), failure.clone()))
        } else {
            self.warn(session, failure)
        }
    }

    /// Tells what was held back, where no error that ends the run does.
    pub(super) fn release(&mut self) {
        if let Some((session, failure)) = self.held.take() {
            self.warn(&session, &failure);
        }
    }

    pub(super) fn clear(&mut self) {
        if let Mode::Live(live) = &self.mode {
            for line in live.answer.iter().chain([&live.now]) {
                line.finish_and_clear();
            }
        }
    }

    /// Shows the answer of a run under way: once where lines stay, and on a terminal each better one
    /// in the place of the one before.
    fn answer(&mut self, record: &RunRecord, rounds: u64, elapsed: Duration) {
        if matches!(self.mode, Mode::Quiet)
            || (matches!(self.mode, Mode::Lines) && self.so_far.is_some())
        {
            return;
        }
        let so_far = SoFar::of(record, rounds, elapsed.into());
        match &mut self.mode {
            Mode::Live(live) => live.answer(&so_far.sentence),
            Mode::Quiet | Mode::Lines => say::aside(&so_far.sentence),
        }
        self.so_far.get_or_insert(so_far);
    }

    /// Says what the end of the run says otherwise than the first answer did.
    pub(super) fn say_changed(&mut self, record: &RunRecord, judgement: &RunJudgement) {
        let first = self.so_far.as_ref();
        if let Some(changed) = first.and_then(|first| first.changed(record, judgement)) {
            self.say(&changed);
        }
    }

    /// Says what is going to be measured, with every default that was taken.
    pub(super) fn introduce(&mut self, plan: &Plan, host: &Host) {
        let budget = match plan.schedule.budget_ns {
            Some(budget) => format!("at most {} s", budget.as_secs_f64()),
            None => "as long as the rounds take".into(),
        };
        self.is_single = plan.sessions.len() == 1;
        self.say(&format!("measuring {} ({budget})", variants(plan)));
        let threads = plan.sessions[0].options.intra_threads;
        let cpus = host.usable_cpus_count;
        self.say(&format!(
            "{threads} intra-op thread(s); {cpus} CPU(s) may be used"
        ));
        self.say_inputs(plan);
    }

    pub(super) fn introduce_search(&mut self, plan: &Plan, host: &Host) {
        let Some(tuning) = &plan.tuning else { return };
        let budget = plan.schedule.budget_ns.unwrap_or_default().as_secs_f64();
        self.say(&format!("tuning {} (at most {budget} s)", variants(plan)));
        let threads = joined(&tuning.space.intra_threads);
        let batches = joined(&tuning.space.batch_sizes);
        let cpus = host.usable_cpus_count;
        self.say(&format!(
            "intra-op threads {threads}; batch sizes {batches}; {cpus} CPU(s) may be used"
        ));
        self.say_inputs(plan);
    }

    pub(super) fn introduce_load(&mut self, plan: &Plan, host: &Host) {
        let Some(load) = &plan.load else { return };
        let budget = plan.schedule.budget_ns.unwrap_or_default().as_secs_f64();
        self.is_single = plan.sessions.len() == 1;
        self.say(&format!("loading {} (at most {budget} s)", variants(plan)));
        let cpus = host.usable_cpus_count;
        let served: Vec<String> = load.servings.iter().map(ToString::to_string).collect();
        let served = served.join(" and by ");
        let mut local = plan.sessions.iter().filter(|spec| !spec.is_remote());
        self.say(&match local.next() {
            Some(spec) => format!(
                "served by {served}; {} intra-op thread(s); {cpus} CPU(s) may be used",
                spec.options.intra_threads
            ),
            None => format!("requests are sent by {served}; {cpus} CPU(s) may be used"),
        });
        let mut servers = plan.sessions.iter().map(|spec| spec.runtime.server());
        if let Some(server) = servers.find_map(|server| server) {
            self.say(&format!("requests go to `{}`", server.url));
        }
        self.say_inputs(plan);
    }

    fn say_inputs(&mut self, plan: &Plan) {
        match &plan.inputs.data {
            Some(data) => self.say(&format!("inputs from `{}`", data.display())),
            None => self.say("inputs are synthesized; `onnxprof inspect MODEL` says how, `--data` feeds real ones"),
        }
    }
}

fn variants(plan: &Plan) -> String {
    joined(plan.variants.iter().map(|variant| variant.name.exact()))
}

impl Live {
    fn new(target: ProgressDrawTarget) -> Self {
        let lines = MultiProgress::with_draw_target(target);
        Live {
            now: live_line(&lines),
            lines,
            answer: None,
        }
    }

    fn answer(&mut self, sentence: &str) {
        let line = self.answer.get_or_insert_with(|| live_line(&self.lines));
        line.set_message(text::plain(sentence));
    }
}

/// A live line that is drawn when something happens and at no other time: a ticking one would
/// disturb the measurement.
fn live_line(lines: &MultiProgress) -> ProgressBar {
    let line = lines.add(ProgressBar::no_length());
    if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
        line.set_style(style);
    }
    line
}

impl Observer for Console {
    fn observe(&mut self, progress: &Progress<'_>) {
        if !matches!(progress, Progress::Ended(_)) {
            self.release();
        }
        match progress {
            Progress::Failed {
                session,
                place: None,
                failure,
            } => self.fail(session, failure),
            Progress::Failed {
                session,
                place: Some(place),
                failure,
            } => {
                self.warn(&format!("{session} at {place}"), failure);
            }
            Progress::Note(note) => self.say(&format!("note: {note}")),
            Progress::SoFar {
                record,
                rounds,
                elapsed,
            } => self.answer(record, *rounds, *elapsed),
            Progress::Describing { .. } | Progress::Trying { .. } | Progress::Cells { .. } => {
                self.detail(&words(progress));
            }
            Progress::Loading { round, .. } => self.loading(*round, progress),
            Progress::HeatRound { rounds_done, .. } if *rounds_done > 0 => {
                self.detail(&words(progress));
            }
            _ => self.now(&words(progress)),
        }
    }
}

/// Says what goes on; of a failure or a note, nothing.
fn words(progress: &Progress<'_>) -> String {
    match progress {
        Progress::Trying { variant } => format!("trying inputs of {variant} out"),
        Progress::Describing { variant } => format!("reading {variant}"),
        Progress::Profiling { session } => format!("profiling the operators of {session}"),
        Progress::Peaks => "measuring what the machine does at most".to_owned(),
        Progress::Scoring { session } => format!("scoring {session}"),
        Progress::Coupling { session } => format!("comparing samples of a batch of {session}"),
        Progress::Idling { session } => format!("measuring {session} after idle gaps"),
        Progress::Contrasting { session } => format!("checking for denormal numbers in {session}"),
        Progress::Round {
            round,
            elapsed,
            budget,
        } => format!("round {round}, {}", clock(*elapsed, *budget)),
        Progress::Cells {
            round,
            place,
            load_mode,
            elapsed,
        } => {
            let (load, elapsed) = (load_words(*load_mode), clock(*elapsed, None));
            format!("round {round}, {place}{load}, {elapsed}")
        }
        Progress::HeatRound {
            heat,
            stage,
            configurations_count,
            elapsed,
            budget,
            ..
        } => {
            let (stage, elapsed) = (stage_words(*stage), clock(*elapsed, *budget));
            let plural = if *configurations_count == 1 { "" } else { "s" };
            format!(
                "group {heat}: {configurations_count} configuration{plural} ({stage}), {elapsed}"
            )
        }
        Progress::Loading {
            round,
            session,
            place,
            elapsed,
            budget,
        } => {
            let elapsed = clock(*elapsed, *budget);
            format!("load, round {round}: {session}, {place}, {elapsed}")
        }
        Progress::Waiting {
            what,
            waited,
            limit,
        } => {
            let (waited, most) = (waited.as_secs(), limit.as_secs_f64().ceil());
            format!("{what}: waited for {waited} s so far, of {most} s at most")
        }
        Progress::Ended(reason) => ending(*reason).to_owned(),
        Progress::SoFar { .. } | Progress::Failed { .. } | Progress::Note(_) => String::new(),
    }
}

fn load_words(load: LoadMode) -> String {
    match load {
        LoadMode::SINGLE => String::new(),
        load => format!(", {load}"),
    }
}

fn stage_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Grid => "variants, threads and batch sizes",
        Stage::Options => "one option at a time",
        Stage::Final => "the best ones",
    }
}

fn clock(elapsed: Duration, budget: Option<Duration>) -> String {
    let elapsed = elapsed.as_secs_f64();
    match budget {
        Some(budget) => format!("{elapsed:.0} of {:.0} s", budget.as_secs_f64()),
        None => format!("{elapsed:.0} s"),
    }
}

fn ending(reason: EndReason) -> &'static str {
    match reason {
        EndReason::TargetReached => "done: every figure is as narrow as asked for",
        EndReason::BudgetSpent => "done: the budget is spent",
        EndReason::RulesDecided => "done: every rule is decided",
        EndReason::SearchDone => "done: the search has nothing left to try",
        EndReason::RoundsDone => "done: all rounds are measured",
        EndReason::Interrupted => "interrupted: what was measured is kept",
        EndReason::NothingLeft => "nothing is left to measure",
        EndReason::SloBroken => "done: the SLO is broken by one request at a time already",
        EndReason::LoadAnswered => "done: what was asked is answered",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_a_live_line_are_text() {
        let mut console = Console::with(Mode::Live(Live::new(ProgressDrawTarget::hidden())));
        for show in [Console::now, Console::detail] {
            show(&mut console, "reading a\u{1b}[31m\u{202e}b");
            let Mode::Live(live) = &console.mode else {
                unreachable!("it is one")
            };
            assert_eq!(live.now.message(), "reading a\\u{1b}[31m\\u{202e}b");
        }
    }
}
