//! Advice in words, by priority: the step to take, its gain and evidence, its costs, effort and risk.

use serde::Serialize;

use crate::analysis::{
    Action, Advice, Against, Decision, Evidence, HIGH_GAIN, Level, MEDIUM_GAIN, Priority, Setting,
    Verdict,
};
use crate::metric::Metric;
use crate::plan::{Binding, CellKey};
use crate::report::chapters::bottlenecks::command;
use crate::report::words::number::{self, time};
use crate::report::words::{self, Source, judgement, not_measured, plain};
use crate::stats::CONFIDENCE;

/// The option that makes a session treat numbers next to zero as zero.
const FLUSH_DENORMALS: &str = "session.set_denormal_as_zero=1";

pub(in crate::report) fn rules() -> String {
    format!(
        "Ranked by the lower end of the measured gain's {} interval, so that a gain counts as far as it is sure; without \
         an interval it counts as none. What every prediction gains comes first: high from {HIGH_GAIN}x, medium from \
         {MEDIUM_GAIN}x, else low. What only the first prediction or those after a pause gain comes next: medium from \
         {HIGH_GAIN}x, else low. Size and threads alone are low. Effort is low where a model file or a session option is \
         replaced, medium where another library is deployed or the program changes how it starts or sends requests, high \
         where other hardware is needed. Risk is never below the judgement's: low where it says to ship, medium where it \
         is undecided, high where it says not to ship or has no answer. Medium, too, where the tail got worse, the score \
         fell a little or requests wait for a batch.",
        number::limit(CONFIDENCE)
    )
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdviceView {
    /// The step to take.
    pub area: String,
    pub gain: String,
    pub evidence: String,
    pub accuracy: String,
    pub memory: String,
    /// `High`, `Medium` or `Low`, with the reason; so is the risk.
    pub effort: String,
    pub risk: String,
    /// The command that measures the evidence again.
    pub command: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriorityView {
    /// `High Priority`.
    pub label: String,
    /// `Critical Impact`.
    pub impact: String,
    pub advice: Vec<AdviceView>,
    /// Sentence in place of advice where there is none.
    pub none: String,
}

pub(in crate::report) fn priorities(source: Source<'_>) -> Vec<PriorityView> {
    [Priority::High, Priority::Medium, Priority::Low]
        .into_iter()
        .map(|priority| of_priority(source, priority))
        .collect()
}

fn of_priority(source: Source<'_>, priority: Priority) -> PriorityView {
    let (label, impact, gains) = match priority {
        Priority::High => (
            "High Priority",
            "Critical Impact",
            format!("at least {HIGH_GAIN}x"),
        ),
        Priority::Medium => (
            "Medium Priority",
            "Significant Impact",
            format!("between {MEDIUM_GAIN}x and {HIGH_GAIN}x"),
        ),
        Priority::Low => (
            "Low Priority",
            "Minor Impact",
            format!("below {MEDIUM_GAIN}x, or in size alone"),
        ),
    };
    let advice = source
        .findings
        .decisions
        .advice
        .iter()
        .filter(|advice| advice.priority == priority);
    PriorityView {
        label: label.into(),
        impact: impact.into(),
        advice: advice.map(|advice| worded(source, advice)).collect(),
        none: format!("none: the run shows no gain of this class ({gains})"),
    }
}

fn worded(source: Source<'_>, advice: &Advice) -> AdviceView {
    let evidence = advice
        .evidence
        .iter()
        .map(|evidence| evidence_text(source, evidence));
    AdviceView {
        area: area(source, advice),
        gain: gain(advice),
        evidence: words::joined(evidence, "; "),
        accuracy: accuracy(source, advice),
        memory: memory(source, advice),
        effort: effort(advice),
        risk: risk(source, advice),
        command: command(&advice.command),
    }
}

pub(in crate::report) fn area(source: Source<'_>, advice: &Advice) -> String {
    let key = advice.action.key();
    let (name, at) = (source.name(key.session), source.at(key));
    match &advice.action {
        Action::Ship { .. } => {
            format!("Ship {name} instead of {} ({at})", source.baseline_name())
        }
        Action::Switch { settings, .. } => {
            let settings = words::listed(settings.iter().map(|setting| to(source, key, setting)));
            format!(
                "Switch {} to {settings} ({at})",
                source.record.plan.variant_of(key.session).name
            )
        }
        Action::Batch { from, .. } => format!("Run {name} {at} instead of {from}"),
        Action::SetOption { option, .. } if option == FLUSH_DENORMALS => {
            format!("Flush denormal numbers to zero in {name}: set {option} ({at})")
        }
        Action::SetOption { option, .. } => format!("Set {option} for {name} ({at})"),
        Action::KeepWarm { longest_ns, .. } => format!(
            "Keep {name} warm: let no more than {} pass between predictions",
            time(*longest_ns)
        ),
        Action::LoadBeforeTraffic { .. } => {
            format!("Load {name} and run it once before traffic arrives")
        }
    }
}

fn to(source: Source<'_>, key: CellKey, setting: &Setting) -> String {
    match setting {
        Setting::Runtime { version } => format!("ONNX Runtime {}", plain(version)),
        Setting::ExecutionProvider(provider) => plain(provider),
        Setting::Binding(Binding::Device) => "inputs and outputs in the device's memory".into(),
        Setting::Binding(Binding::Host) => "inputs and outputs in host memory".into(),
        Setting::IntraThreads(threads) => words::number_of(*threads, "intra-op thread"),
        Setting::Options => format!("the options of {}", source.name(key.session)),
    }
}

fn accuracy(source: Source<'_>, advice: &Advice) -> String {
    match (&advice.action, &advice.accuracy) {
        (Action::Batch { .. } | Action::KeepWarm { .. } | Action::LoadBeforeTraffic { .. }, _) => {
            "none: the model stays the same".into()
        }
        (Action::SetOption { .. }, _) => {
            not_measured("the outputs were not scored with the option")
        }
        (_, Some(change)) => words::accuracy_change(change),
        (action, None) => words::accuracy(source.session(action.key().session)),
    }
}

/// The measured gain in full: value, interval, n, and what it costs in latency.
pub(in crate::report) fn gain(advice: &Advice) -> String {
    let Some(measured) = advice.gain.measured() else {
        return not_measured("there is no gain to state");
    };
    let factor = number::factor(measured.value, measured.interval);
    let ends = number::factor_interval(measured.value, measured.interval);
    let n = words::counted(measured);
    match (&advice.action, advice.metric) {
        (_, Metric::FileSize) => format!("{factor}x smaller file, as fast as before"),
        (_, Metric::CpuUtilization) => {
            format!("{factor}x fewer threads, as fast as before, n = {n}")
        }
        (Action::KeepWarm { idle_ns, .. }, _) => {
            format!(
                "after a pause of {} a prediction takes {factor}x as long{ends}, n = {n}",
                time(*idle_ns)
            )
        }
        (Action::LoadBeforeTraffic { .. }, _) => {
            format!("the first prediction takes {factor}x as long as a later one{ends}, n = {n}")
        }
        (Action::Batch { .. }, _) | (_, Metric::Throughput) => {
            format!(
                "{factor}x the throughput{ends}, n = {n}{}",
                longer(advice).unwrap_or_default()
            )
        }
        _ => format!("{factor}x the speed by median latency{ends}, n = {n}"),
    }
}

/// `; one inference takes 3.90x as long`, of batches of which that is known.
fn longer(advice: &Advice) -> Option<String> {
    let batches = matches!(advice.action, Action::Batch { .. });
    let latency = advice.latency_factor.filter(|_| batches)?;
    Some(format!(
        "; one inference takes {}x as long",
        number::factor(latency, None)
    ))
}

fn evidence_text(source: Source<'_>, evidence: &Evidence) -> String {
    format!(
        "{}{}, {}, n = {} {}{}",
        source.place(evidence.key),
        against(source, &evidence.against),
        evidence.key.load_mode,
        number::count(evidence.n),
        evidence.n_of.noun(evidence.n),
        evidence.verdict.map(verdict_words).unwrap_or_default()
    )
}

fn against(source: Source<'_>, against: &Against) -> String {
    match against {
        Against::Baseline(key) => {
            format!(
                " against {}, in blocks that took turns",
                source.name(key.session)
            )
        }
        Against::BatchSize(from) => format!(" against batch {from}, launch by launch"),
        Against::WithoutOption(_) => {
            ": with the option against without it, in launches that took turns".into()
        }
        Against::WithoutPause => {
            ": after a pause against without one, within launches of their own".into()
        }
        Against::Loaded => {
            ": the first prediction of fresh processes against the median of later ones".into()
        }
    }
}

fn verdict_words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Faster => ", verdict: faster",
        Verdict::Slower => ", verdict: slower",
        Verdict::Same => ", verdict: as fast",
        Verdict::Inconclusive => ", verdict: not settled",
    }
}

/// `-19% peak memory of the process at batch 64`.
fn memory(source: Source<'_>, advice: &Advice) -> String {
    match (&advice.action, advice.memory_factor) {
        (Action::Batch { key, from }, Some(factor)) => format!(
            "{} peak memory of the process at batch {} against batch {from}",
            number::change(factor),
            key.batch_size
        ),
        (action, Some(factor)) => format!(
            "{} peak memory of the process {}",
            number::change(factor),
            source.at_batch(action.key())
        ),
        (Action::KeepWarm { .. } | Action::LoadBeforeTraffic { .. }, None) => {
            "none: the session is the same".into()
        }
        _ => not_measured("peak memory is not known for both"),
    }
}

pub(in crate::report) fn level(level: Level) -> &'static str {
    match level {
        Level::Low => "Low",
        Level::Medium => "Medium",
        Level::High => "High",
    }
}

pub(in crate::report) fn effort(advice: &Advice) -> String {
    let why = match (&advice.action, advice.effort) {
        (Action::Ship { .. }, Level::Low) => {
            "one model file is replaced; inputs and outputs stay the same"
        }
        (Action::Ship { .. }, Level::Medium) => {
            "a model file and the library, or the way it is set up, are replaced"
        }
        (Action::Switch { .. }, Level::Low) => "a session option is changed",
        (Action::Switch { .. }, Level::Medium) => {
            "another library is deployed, or the session is set up otherwise"
        }
        (Action::Ship { .. } | Action::Switch { .. }, Level::High) => {
            "other hardware has to be there"
        }
        (Action::Batch { .. }, _) => "requests have to be collected into batches",
        (Action::SetOption { .. }, _) => "one session option is set",
        (Action::KeepWarm { .. }, _) => {
            "the program has to send predictions of its own while it is idle"
        }
        (Action::LoadBeforeTraffic { .. }, _) => {
            "the program has to run one prediction when it starts"
        }
    };
    format!("{} ({why})", level(advice.effort))
}

pub(in crate::report) fn risk(source: Source<'_>, advice: &Advice) -> String {
    let reasons = match risks(advice).as_slice() {
        [] => outputs(source, advice),
        reasons => reasons.join("; "),
    };
    format!("{} ({reasons})", level(judged_risk(source, advice)))
}

/// Never below what the judgement on the session says.
pub(in crate::report) fn judged_risk(source: Source<'_>, advice: &Advice) -> Level {
    let judged = source.judgement().of(advice.action.key().session);
    let least = match judged.map(|one| one.decision) {
        None | Some(Decision::Ship | Decision::Keep) => Level::Low,
        Some(Decision::Undecided) => Level::Medium,
        Some(Decision::DoNotShip | Decision::NoAnswer) => Level::High,
    };
    advice.risk.max(least)
}

/// What the judgement says of the outputs of the session.
fn outputs(source: Source<'_>, advice: &Advice) -> String {
    source
        .judgement()
        .of(advice.action.key().session)
        .and_then(|one| judgement::outputs(source, one))
        .unwrap_or_else(|| "its outputs are those of today".into())
}

/// That of the action itself, and what the choice leaves open.
fn risks(advice: &Advice) -> Vec<String> {
    let caveats = advice
        .caveats
        .iter()
        .map(|&caveat| words::caveat(caveat).to_owned());
    own_risk(&advice.action)
        .map(str::to_owned)
        .into_iter()
        .chain(caveats)
        .collect()
}

/// Risk of an action, whatever was measured.
fn own_risk(action: &Action) -> Option<&'static str> {
    match action {
        Action::Ship { .. } | Action::Switch { .. } => None,
        Action::Batch { .. } => Some("each request waits for its batch"),
        Action::SetOption { .. } => Some("the outputs were not scored with the option"),
        Action::KeepWarm { .. } => Some("predictions of no use cost CPU time"),
        Action::LoadBeforeTraffic { .. } => Some("the program is ready later"),
    }
}
