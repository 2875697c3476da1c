//! What the outputs of a session are worth against the baseline's.

use serde::Serialize;

use crate::analysis::figures::index::Index;
use crate::analysis::{AccuracyChange, Estimate, Interval, OutputAgreement, SessionFindings};
use crate::metric::{Direction, Metric};
use crate::plan::{SessionSpec, Tolerance};
use crate::record::OutputKind;
use crate::text::Plain;
use crate::units::Ratio;

/// What the outputs of a session are worth against the baseline's, and what says so.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutputsJudgement {
    /// Whether they are good enough.
    pub standing: OutputsStanding,
    /// What says so.
    pub by: JudgedBy,
}

/// Whether outputs are good enough to be shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputsStanding {
    /// They are.
    Kept,
    /// Neither is shown.
    Open,
    /// They are not.
    Refused,
}

/// What says what outputs are worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JudgedBy {
    /// They are computed alike: the file is the same, and options that change no number, or only
    /// its rounding.
    Identity,
    /// The change of a score on labelled samples.
    Score(ScoreHeld),
    /// Agreement with the baseline's outputs, or with those that came with the data.
    Agreement(AgreementHeld),
    /// Values that are not numbers, of an output.
    NotFinite(Plain),
    /// An output differs from the reference where one side is not finite.
    DiffersBeyondNumbers(Plain),
    /// Nothing: outputs were not compared, or cannot be.
    Nothing,
}

/// The change of a score against what it may fall by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreHeld {
    /// The score.
    pub metric: Metric,
    /// How far it fell, as a share; of an error, by how much of itself it grew. Below 0 where it
    /// rose.
    pub loss_ratio: f64,
    /// 95% interval of the loss; absent where there is none.
    pub interval: Option<Interval>,
    /// How far it may surely fall.
    pub margin_ratio: Ratio,
    /// Samples that both were scored on.
    pub samples_count: u64,
    /// About how many samples would decide it; absent where it is decided, and where nothing tells.
    pub enough_samples_count: Option<u64>,
}

/// The agreement of an output against its tolerance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgreementHeld {
    /// Name of the output.
    pub output: Plain,
    /// The measure that fits its kind.
    pub metric: Metric,
    /// Its value: of shares and errors over all samples, of cosines the 1st percentile, or the
    /// lowest sample's where they are few.
    pub value: f64,
    /// Up to here it may be shipped.
    pub ship: f64,
    /// Beyond this it must not be.
    pub refuse: f64,
    /// Samples compared.
    pub samples_count: u64,
    /// Whether the inputs were made up, on which agreement may forbid, and never allows.
    pub on_made_up_inputs: bool,
}

/// Bounds of the measure of an output's kind.
struct Bounds {
    metric: Metric,
    ship: f64,
    refuse: f64,
}

/// Share of samples with equal classes: one disagreement in a hundred is about what a quantized
/// image classifier shows.
const CLASSES: Bounds = Bounds {
    metric: Metric::Top1Agreement,
    ship: 0.99,
    refuse: 0.90,
};
/// Cosine of directions such as embeddings.
const DIRECTIONS: Bounds = Bounds {
    metric: Metric::CosineSimilarity,
    ship: 0.99,
    refuse: 0.90,
};
/// Relative error of numbers, boxes, waveforms and images: 40 and 20 dB of signal to noise.
const NUMBERS: Bounds = Bounds {
    metric: Metric::RelativeError,
    ship: 0.01,
    refuse: 0.1,
};

/// The figures that outputs are judged by.
#[derive(Clone, Copy)]
struct Of<'a> {
    index: &'a Index<'a>,
    sessions: &'a [SessionFindings],
}

/// Of every session, in the order of the plan.
pub(in crate::analysis) fn judged(
    index: &Index<'_>,
    sessions: &[SessionFindings],
) -> Vec<OutputsJudgement> {
    let facts = Of { index, sessions };
    (0..sessions.len())
        .map(|session| of_session(facts, session))
        .collect()
}

fn of_session(facts: Of<'_>, session: usize) -> OutputsJudgement {
    let found = &facts.sessions[session];
    if let Some(unhealthy) = found.accuracy.unhealthy_outputs.first() {
        return refused(JudgedBy::NotFinite(unhealthy.name.clone()));
    }
    if is_baseline_s(facts, session) {
        return same();
    }
    let found = scored(facts, session);
    let measured = match &found.accuracy.change {
        Some(change) => by_score(facts, change),
        None if found.is_scored() => nothing(),
        None => by_agreement(facts, found),
    };
    if measured.standing == OutputsStanding::Open && is_alike_but_for_rounding(facts, session) {
        return same();
    }
    measured
}

fn refused(by: JudgedBy) -> OutputsJudgement {
    OutputsJudgement {
        standing: OutputsStanding::Refused,
        by,
    }
}

fn same() -> OutputsJudgement {
    OutputsJudgement {
        standing: OutputsStanding::Kept,
        by: JudgedBy::Identity,
    }
}

fn nothing() -> OutputsJudgement {
    OutputsJudgement {
        standing: OutputsStanding::Open,
        by: JudgedBy::Nothing,
    }
}

/// Whether a session computes the very numbers of the baseline's.
fn is_baseline_s(facts: Of<'_>, session: usize) -> bool {
    is_of_one_file(facts, session, SessionSpec::computes_alike_of_one_file)
}

/// Whether a session differs from the baseline's in graph optimization alone, which keeps what is
/// computed but for rounding.
fn is_alike_but_for_rounding(facts: Of<'_>, session: usize) -> bool {
    is_of_one_file(facts, session, |own, base| {
        let mut as_optimized = own.clone();
        as_optimized.options.graph_optimization = base.options.graph_optimization;
        as_optimized.computes_alike_of_one_file(base)
    })
}

fn is_of_one_file(
    facts: Of<'_>,
    session: usize,
    alike: impl Fn(&SessionSpec, &SessionSpec) -> bool,
) -> bool {
    let record = facts.index.record;
    let sessions = &record.plan.sessions;
    facts.index.baseline.is_some_and(|baseline| {
        let (own, base) = (&sessions[session], &sessions[baseline]);
        alike(own, base) && record.is_one_file(own.variant, base.variant)
    })
}

/// The session itself, or one that computes the same numbers and was scored.
fn scored<'f>(facts: Of<'f>, session: usize) -> &'f SessionFindings {
    let sessions = &facts.index.record.plan.sessions;
    let is_alike = |other: &&SessionFindings| {
        other.accuracy.samples_count > 0
            && sessions[other.session].computes_alike(&sessions[session])
    };
    let own = &facts.sessions[session];
    if own.accuracy.samples_count > 0 {
        return own;
    }
    facts.sessions.iter().find(is_alike).unwrap_or(own)
}

fn by_score(facts: Of<'_>, change: &AccuracyChange) -> OutputsJudgement {
    let Some(held) = score_held(facts, change) else {
        return nothing();
    };
    let margin = held.margin_ratio.0;
    let standing = match held.interval {
        Some(loss) if loss.high <= margin => OutputsStanding::Kept,
        Some(loss) if loss.low > margin => OutputsStanding::Refused,
        Some(_) | None => OutputsStanding::Open,
    };
    let enough_samples_count = enough_samples(&held).filter(|_| standing == OutputsStanding::Open);
    OutputsJudgement {
        standing,
        by: JudgedBy::Score(ScoreHeld {
            enough_samples_count,
            ..held
        }),
    }
}

fn score_held(facts: Of<'_>, change: &AccuracyChange) -> Option<ScoreHeld> {
    let difference = change.difference.measured()?;
    let scale = loss_scale(facts, change)?;
    let interval = difference
        .interval
        .map(|ends| Interval::between(ends.low * scale, ends.high * scale));
    Some(ScoreHeld {
        metric: change.metric,
        loss_ratio: difference.value * scale,
        interval,
        margin_ratio: facts.index.record.plan.max_accuracy_drop(),
        samples_count: difference.n,
        enough_samples_count: None,
    })
}

/// What turns a difference into a loss: a share in itself, an error as a share of the baseline's.
fn loss_scale(facts: Of<'_>, change: &AccuracyChange) -> Option<f64> {
    if change.metric.direction() == Direction::Higher {
        return Some(-1.0);
    }
    let baseline = &facts.sessions[facts.index.baseline?];
    let error = baseline.figure(change.metric)?.value()?;
    (error > 0.0).then_some(1.0 / error)
}

/// As many as shrink the interval, with the square root of their number, to what lies between the
/// loss and the margin.
fn enough_samples(held: &ScoreHeld) -> Option<u64> {
    let interval = held.interval?;
    let distance = held.margin_ratio.0 - held.loss_ratio;
    let half = if distance > 0.0 {
        interval.high - held.loss_ratio
    } else {
        held.loss_ratio - interval.low
    };
    let times = (half / distance).powi(2);
    let enough = held.samples_count as f64 * times;
    (enough.is_finite() && enough < 1e9).then(|| enough.ceil() as u64)
}

/// The first output of which one side is not finite where the other is.
fn beyond_numbers(facts: Of<'_>, session: usize) -> Option<Plain> {
    let scored = facts.index.accuracy(session)?;
    let differs = scored
        .agreement
        .iter()
        .find(|output| output.not_finite_count > 0)?;
    Some(differs.output.clone())
}

/// By the output that agrees least.
fn by_agreement(facts: Of<'_>, found: &SessionFindings) -> OutputsJudgement {
    let accuracy = &found.accuracy;
    if let Some(output) = beyond_numbers(facts, found.session) {
        return refused(JudgedBy::DiffersBeyondNumbers(output));
    }
    let judged = accuracy
        .agreement
        .iter()
        .map(|output| of_output(facts, output));
    let worst = judged.max_by_key(|judged| judged.standing);
    match worst {
        Some(worst) if accuracy.not_comparable.is_empty() => worst,
        Some(worst) if worst.standing == OutputsStanding::Refused => worst,
        Some(_) | None => nothing(),
    }
}

fn of_output(facts: Of<'_>, output: &OutputAgreement) -> OutputsJudgement {
    let plan = &facts.index.record.plan;
    let bounds = bounds(output, plan.judging.tolerance(&output.output));
    let Some(found) = output.figure(bounds.metric).and_then(Estimate::measured) else {
        return nothing();
    };
    let lowest = output
        .lowest_cosine
        .filter(|_| bounds.metric == Metric::CosineSimilarity);
    let held = AgreementHeld {
        output: output.output.clone(),
        metric: bounds.metric,
        value: lowest.unwrap_or(found.value),
        ship: bounds.ship,
        refuse: bounds.refuse,
        samples_count: found.n,
        on_made_up_inputs: facts.index.record.has_made_up_inputs(),
    };
    OutputsJudgement {
        standing: standing(&held, found.interval),
        by: JudgedBy::Agreement(held),
    }
}

/// A share of few samples has a wide interval, which must lie on the right side of `refuse`
/// altogether.
fn standing(held: &AgreementHeld, interval: Option<Interval>) -> OutputsStanding {
    let ends = interval.unwrap_or(Interval::between(held.value, held.value));
    let (is_close, is_surely_no_closer, is_surely_closer) =
        if held.metric.direction() == Direction::Higher {
            (
                held.value >= held.ship,
                ends.high < held.refuse,
                ends.low >= held.refuse,
            )
        } else {
            (
                held.value <= held.ship,
                ends.low > held.refuse,
                ends.high <= held.refuse,
            )
        };
    if is_surely_no_closer {
        OutputsStanding::Refused
    } else if is_close && is_surely_closer && !held.on_made_up_inputs {
        OutputsStanding::Kept
    } else {
        OutputsStanding::Open
    }
}

/// Those of the kind, or of what there is where a record has none, with the tolerance that was
/// given.
fn bounds(output: &OutputAgreement, tolerance: Option<&Tolerance>) -> Bounds {
    let has = |metric| {
        output
            .figure(metric)
            .is_some_and(|one| one.value().is_some())
    };
    let usual = match output.kind {
        Some(OutputKind::Classes | OutputKind::Values) => CLASSES,
        Some(OutputKind::Vector) => DIRECTIONS,
        Some(OutputKind::Signal | OutputKind::Image | OutputKind::Numbers) => NUMBERS,
        None if has(Metric::Top1Agreement) => CLASSES,
        None if has(Metric::CosineSimilarity) => DIRECTIONS,
        None => NUMBERS,
    };
    match tolerance {
        Some(given) => Bounds {
            metric: usual.metric,
            ship: given.ship,
            refuse: given.refuse.unwrap_or(given.ship),
        },
        None => usual,
    }
}
