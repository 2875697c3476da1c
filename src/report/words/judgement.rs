//! The judgement on a run in words: the verdict in one sentence, and what each variant costs.

use super::{number, plain, size_change};
use crate::analysis::{
    Advantage, AgreementHeld, Decision, JudgedBy, Judgement, Measured, OutputsStanding, RULES,
    Reason, RunJudgement, ScoreHeld,
};
use crate::metric::{Direction, Metric, Unit};
use crate::plan::Objective;
use crate::record::FitnessVerdict;
use crate::report::words::{self, Source};
use crate::stats::MIN_LAUNCHES;

/// The verdict on the run.
pub(in crate::report) fn verdict(source: Source<'_>) -> String {
    let judgement = source.judgement();
    match judgement.decision {
        Decision::Ship => ship(source, judgement),
        Decision::Keep => keep(source, judgement),
        Decision::Undecided => undecided(source, judgement),
        Decision::DoNotShip => format!(
            "Do not ship {}. Keep {}.",
            refused(source, judgement),
            source.baseline_name()
        ),
        Decision::NoAnswer => no_answer(source, judgement),
    }
}

fn ship(source: Source<'_>, judgement: &RunJudgement) -> String {
    let Some((one, key)) = judgement.subject().and_then(|one| Some((one, one.key?))) else {
        return "Ship.".into();
    };
    format!(
        "Ship {} {}: {}.",
        source.name(one.session),
        source.at_batch(key),
        words::joined(costs(source, one), ", ")
    )
}

fn keep(source: Source<'_>, judgement: &RunJudgement) -> String {
    let baseline = source.baseline_name();
    if judgement.reason == Reason::Alone {
        return format!("Keep {baseline}: there is no other variant to compare it with.");
    }
    let refused = match refused(source, judgement) {
        none if none.is_empty() => none,
        refused => format!(" Do not ship {refused}."),
    };
    let what = match judgement.objective {
        Objective::Latency => "is faster",
        Objective::Throughput => "has more throughput",
        Objective::Memory => "takes less memory",
        Objective::Energy => "takes less energy",
    };
    format!("Keep {baseline}: no other variant that may be shipped {what}.{refused}")
}

/// `int8 (outputs differ: cosine 0.56, must not be below 0.90)`, for each that must not be shipped.
fn refused(source: Source<'_>, judgement: &RunJudgement) -> String {
    words::listed(judgement.with(Decision::DoNotShip).map(|one| {
        format!(
            "{} ({})",
            source.name(one.session),
            outputs(source, one).unwrap_or_default()
        )
    }))
}

fn undecided(source: Source<'_>, judgement: &RunJudgement) -> String {
    let Some(one) = judgement.subject() else {
        return "Undecided.".into();
    };
    let name = source.name(one.session);
    let baseline = source.baseline_name();
    match one.reason {
        Reason::MachineSensitive => format!(
            "Undecided: {}; other work was going on, and {name} differs from {baseline} in threads, spinning or execution provider, which it slows down unlike. Measure on a quiet machine.",
            looks(source, one)
        ),
        Reason::OutputsOpen => format!(
            "Undecided: {name} is {}, but {}.",
            gain(one).unwrap_or_default(),
            outputs(source, one).unwrap_or_default()
        ),
        _ => format!(
            "Undecided: {}{}{}.",
            looks(source, one),
            together(judgement, one),
            more(source, judgement)
        ),
    }
}

/// `int8 looks 1.5x faster (0.9 to 2.2)`, or that it may be.
pub(super) fn looks(source: Source<'_>, one: &Judgement) -> String {
    let name = source.name(one.session);
    let baseline = source.baseline_name();
    match &one.advantage {
        Some(found) if found.looks_better() => format!(
            "{name} looks {} than {baseline}",
            gain(one).unwrap_or_default()
        ),
        Some(found) => format!(
            "whether {name} is {} than {baseline} is open{}",
            comparative(found.metric),
            interval(found)
        ),
        None => format!("{name} was not compared with {baseline}"),
    }
}

/// Where the interval alone would decide, and judging all comparisons together does not.
fn together(judgement: &RunJudgement, one: &Judgement) -> String {
    let interval = one
        .advantage
        .as_ref()
        .and_then(|found| found.factor_interval());
    let compared = judgement
        .others
        .iter()
        .filter(|one| one.advantage.is_some())
        .count();
    match interval {
        Some(interval) if interval.low > 1.0 && compared > 1 => format!(
            "; among the {} comparisons of this run, such an interval may be chance",
            number::in_words(compared)
        ),
        _ => String::new(),
    }
}

/// `; about 12 s more decide: --budget 72s`.
fn more(source: Source<'_>, judgement: &RunJudgement) -> String {
    let Some(more) = judgement.more_ns else {
        return String::new();
    };
    let had = source.record.run.elapsed_ns.unwrap_or_default();
    let budget = crate::units::Nanos(had.0 + more.0);
    format!(
        "; about {} more decide: `--budget {}`",
        words::rounded_time(more),
        words::budget(budget)
    )
}

fn no_answer(source: Source<'_>, judgement: &RunJudgement) -> String {
    match judgement.reason {
        Reason::BaselineUnusable => format!(
            "No answer: {} could not be used, so that there is nothing to compare with.",
            source.baseline_name()
        ),
        Reason::MachineUnfit => {
            let why = unfit(source)
                .map(|why| format!(": {why}"))
                .unwrap_or_default();
            let probably: String = judgement
                .others
                .iter()
                .filter_map(|one| probably(source, one))
                .collect();
            format!("No answer: the machine was not fit to measure on{why}.{probably}")
        }
        _ => format!(
            "No answer: a verdict takes {MIN_LAUNCHES} launches of each variant{}.",
            more_launches(source, judgement)
        ),
    }
}

fn more_launches(source: Source<'_>, judgement: &RunJudgement) -> String {
    let launches = judgement
        .others
        .iter()
        .filter_map(|one| Some(one.advantage.as_ref()?.ratio.measured()?.n))
        .min();
    let had = launches
        .map(|had| format!(", and there were {had}"))
        .unwrap_or_default();
    let enough = source.answer().enough_budget_ns;
    let budget = source.record.plan.schedule.budget_ns;
    match enough.filter(|enough| budget.is_some_and(|budget| *enough > budget)) {
        Some(enough) => format!(
            "{had}; about {} do: `--budget {}`",
            words::rounded_time(enough),
            words::budget(enough)
        ),
        None => had,
    }
}

/// `undecided: whether it is better is open`, by the rule that decided.
pub(in crate::report) fn because(decision: Decision, reason: Reason) -> String {
    let word = match decision {
        Decision::Ship => "ship",
        Decision::Keep => "keep the baseline",
        Decision::Undecided => "undecided",
        Decision::DoNotShip => "do not ship",
        Decision::NoAnswer => "no answer",
    };
    let rule = RULES.iter().find(|rule| rule.reason == reason);
    rule.map_or_else(|| word.into(), |rule| format!("{word}: {}", rule.when))
}

/// The sentence on a search whose answer the machine or the outputs do not bear; `None` where its
/// own words tell it.
pub(in crate::report) fn of_search(source: Source<'_>, gain: &str) -> Option<String> {
    let judgement = source.judgement();
    let name = judgement.session.map(|session| source.name(session));
    let name = name.unwrap_or_default();
    let outputs = judgement
        .subject()
        .and_then(|one| outputs(source, one))
        .unwrap_or_default();
    match judgement.reason {
        Reason::MachineUnfit => {
            let why = unfit(source)
                .map(|why| format!(": {why}"))
                .unwrap_or_default();
            let probably = match gain {
                "" => String::new(),
                gain => format!(" {name} is probably better: {gain}."),
            };
            Some(format!(
                "No answer: the machine was not fit to measure on{why}.{probably}"
            ))
        }
        Reason::OutputsDiffer => Some(format!("Do not ship {name}: {outputs}.")),
        Reason::OutputsOpen => Some(format!("Undecided: {name} is better, but {outputs}.")),
        Reason::MachineSensitive => Some(format!(
            "Undecided: {}, because other work was going on, and it differs from the defaults in threads, spinning or execution provider, which that slows down unlike. Search on a quiet machine.",
            match judgement.subject().and_then(|one| one.advantage.as_ref()) {
                Some(found) if found.looks_better() =>
                    format!("{name} looks better, which is not shown"),
                Some(_) | None => format!("whether {name} is better is open"),
            }
        )),
        _ => None,
    }
}

/// What was seen that made the machine unfit.
fn unfit(source: Source<'_>) -> Option<String> {
    let fitness = source.record.fitness.as_ref()?;
    let worst = fitness
        .reasons
        .iter()
        .find(|reason| reason.severity == FitnessVerdict::Invalid)?;
    Some(plain(&worst.seen))
}

/// ` int8 is probably 1.8x faster (1.7 to 2.1).`, where the whole interval of the ratio says so, and
/// the machine met both alike.
fn probably(source: Source<'_>, one: &Judgement) -> Option<String> {
    let found = one.advantage.as_ref()?;
    let sessions = &source.record.plan.sessions;
    let baseline = &sessions[found.baseline.session];
    let is_borne = sessions[one.session].uses_machine_alike(baseline);
    let is_surely_better = is_borne && found.is_covered() && found.factor_interval()?.low > 1.0;
    is_surely_better.then(|| {
        format!(
            " {} is probably {}.",
            source.name(one.session),
            gain(one).unwrap_or_default()
        )
    })
}

/// `1.8x faster (1.7 to 2.1)`, or slower.
pub(in crate::report) fn gain(one: &Judgement) -> Option<String> {
    let found = one.advantage.as_ref()?;
    let factor = found.factor()?;
    let ends = found.factor_interval();
    let (factor, ends, word) = if factor >= 1.0 {
        (factor, ends, comparative(found.metric))
    } else {
        (
            1.0 / factor,
            ends.map(crate::stats::Interval::reciprocal),
            worse(found.metric),
        )
    };
    Some(format!(
        "{}x {word}{}",
        number::factor(factor, ends),
        number::factor_interval(factor, ends)
    ))
}

fn interval(found: &Advantage) -> String {
    found
        .factor()
        .map(|factor| {
            format!(
                ": {}x{}",
                number::factor(factor, found.factor_interval()),
                number::factor_interval(factor, found.factor_interval())
            )
        })
        .unwrap_or_default()
}

pub(super) fn comparative(metric: Metric) -> &'static str {
    match (metric, metric.unit()) {
        (Metric::Throughput, _) => "more throughput",
        (_, Unit::Bytes) => "less memory",
        (_, Unit::Joules) => "less energy",
        _ => "faster",
    }
}

fn worse(metric: Metric) -> &'static str {
    match (metric, metric.unit()) {
        (Metric::Throughput, _) => "less throughput",
        (_, Unit::Bytes) => "more memory",
        (_, Unit::Joules) => "more energy",
        _ => "slower",
    }
}

/// What a session gains and costs against the baseline: `1.8x faster (1.7 to 2.1)`, `at most 0.4
/// points of top-1 lost (95%)`, `3.9x smaller`, `9 MiB less memory`.
pub(in crate::report) fn costs(source: Source<'_>, one: &Judgement) -> Vec<String> {
    let size = source
        .findings
        .decisions
        .headlines
        .iter()
        .find(|headline| headline.session == one.session)
        .and_then(|headline| headline.size_factor)
        .and_then(size_change);
    [gain(one), outputs(source, one), size, memory(source, one)]
        .into_iter()
        .flatten()
        .collect()
}

/// Where the intervals of both lie apart.
pub(in crate::report) fn memory(source: Source<'_>, one: &Judgement) -> Option<String> {
    let peak = |key| source.cell(key)?.figure(Metric::PeakMemory)?.measured();
    let own: &Measured = peak(one.key?)?;
    let base = peak(one.advantage.as_ref()?.baseline)?;
    let is_apart = own
        .interval
        .zip(base.interval)
        .is_some_and(|(own, base)| !own.overlaps(base));
    let bytes = (own.value - base.value).abs();
    let word = if own.value < base.value {
        "less"
    } else {
        "more"
    };
    is_apart.then(|| format!("{} {word} memory", number::value(Unit::Bytes, bytes, None)))
}

/// What the outputs of a session are worth; `None` where they are the baseline's.
pub(in crate::report) fn outputs(source: Source<'_>, one: &Judgement) -> Option<String> {
    let standing = one.outputs.standing;
    Some(match &one.outputs.by {
        JudgedBy::Identity => return None,
        JudgedBy::Score(held) => score(standing, held),
        JudgedBy::Agreement(held) => agreement(standing, held),
        JudgedBy::NotFinite(_) => {
            words::not_finite(&source.session(one.session).accuracy).unwrap_or_default()
        }
        JudgedBy::DiffersBeyondNumbers(output) => format!(
            "output {} is NaN or infinite where the reference is not, or the other way round",
            plain(output)
        ),
        JudgedBy::Nothing => "what its outputs are worth was not measured".into(),
    })
}

fn score(standing: OutputsStanding, held: &ScoreHeld) -> String {
    let margin = loss(held.metric, held.margin_ratio.0);
    let samples = words::counted_noun(held.samples_count, "sample");
    let Some(interval) = held.interval else {
        return format!("whether it loses more than {margin} is open: no interval from {samples}");
    };
    match standing {
        OutputsStanding::Kept if interval.high <= 0.0 => "nothing lost (95%)".into(),
        OutputsStanding::Kept => {
            format!("at most {} lost (95%)", loss(held.metric, interval.high))
        }
        OutputsStanding::Open => {
            let enough = held
                .enough_samples_count
                .map(|enough| format!("; about {} samples decide", number::count(enough)))
                .unwrap_or_default();
            format!(
                "whether it loses more than {margin} is open: {} lost ({} to {}, from {samples}){enough}",
                loss(held.metric, held.loss_ratio),
                loss(held.metric, interval.low),
                loss(held.metric, interval.high),
            )
        }
        OutputsStanding::Refused => format!(
            "{} lost ({} to {}), where {margin} may be",
            loss(held.metric, held.loss_ratio),
            loss(held.metric, interval.low),
            loss(held.metric, interval.high),
        ),
    }
}

/// `0.4 points of top-1`, or `0.4% of the mean absolute error`.
fn loss(metric: Metric, share: f64) -> String {
    let percent = number::with_decimals(share * 100.0, 1);
    match metric.direction() {
        Direction::Higher => format!("{percent} points"),
        Direction::Lower | Direction::Neutral => format!("{percent}% more error"),
    }
}

fn agreement(standing: OutputsStanding, held: &AgreementHeld) -> String {
    let shown = |value| measure(held.metric, value);
    let beyond = if held.metric.direction() == Direction::Higher {
        "from"
    } else {
        "up to"
    };
    let found = format!("{} {}", held.metric.short_label(), shown(held.value));
    match standing {
        OutputsStanding::Kept => found,
        OutputsStanding::Open if held.on_made_up_inputs => format!(
            "outputs were compared on made-up inputs only ({found}): `--data FILE` feeds real ones"
        ),
        OutputsStanding::Open => format!(
            "whether its outputs are close enough is open ({found} on {}; {beyond} {} they are): labels decide, `--labels FILE`",
            words::counted_noun(held.samples_count, "sample"),
            shown(held.ship),
        ),
        OutputsStanding::Refused => {
            format!("outputs differ: {found}, floor {}", shown(held.refuse))
        }
    }
}

fn measure(metric: Metric, value: f64) -> String {
    if metric == Metric::CosineSimilarity {
        return number::with_decimals(value, 2);
    }
    number::share(value)
}
