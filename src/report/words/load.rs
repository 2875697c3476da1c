//! A run under load in few words: candidates, ways of serving, rates and the SLO.

use std::slice;

use super::{Source, joined, listed, number, number_of};
use crate::analysis::Estimate;
use crate::analysis::load::{LoadCandidate, LoadFindings, LoadPoint};
use crate::check::{Side, Slo};
use crate::metric::Unit;
use crate::plan::{Arrivals, Batcher, LoadPlan, Question, Scenario, Serving};
use crate::record::{LoadKey, LoadSegment};
use crate::units::{Nanos, PerSecond};

/// A run under load: what was planned, and what was found.
#[derive(Clone, Copy)]
pub(in crate::report) struct Load<'a> {
    pub(in crate::report) source: Source<'a>,
    pub(in crate::report) plan: &'a LoadPlan,
    pub(in crate::report) found: &'a LoadFindings,
}

impl<'a> Load<'a> {
    /// `None` of a run that is not under load.
    pub(in crate::report) fn of(source: Source<'a>) -> Option<Self> {
        Some(Load {
            source,
            plan: source.record.plan.load.as_ref()?,
            found: source.findings.load.as_ref()?,
        })
    }

    pub(in crate::report) fn candidates(self) -> slice::Iter<'a, LoadCandidate> {
        self.found.candidates.iter()
    }

    pub(in crate::report) fn segments(self) -> slice::Iter<'a, LoadSegment> {
        let load = self.source.record.load.as_ref();
        load.map_or(&[] as &[LoadSegment], |load| load.segments.as_slice())
            .iter()
    }

    /// `int8`, or `int8 (2 sessions)` where sessions are served in several ways.
    pub(in crate::report) fn name(self, key: LoadKey) -> String {
        let name = self.source.name(key.session);
        match self.serving_in_short(key) {
            Some(serving) => format!("{name} ({serving})"),
            None => name,
        }
    }

    pub(in crate::report) fn serving(self, key: LoadKey) -> Option<&'a Serving> {
        self.plan.servings.get(key.serving)
    }

    /// What a way of serving has of its own; `None` where there is one for all.
    pub(in crate::report) fn serving_in_short(self, key: LoadKey) -> Option<String> {
        (self.plan.servings.len() > 1)
            .then(|| Some(of_its_own(&self.plan.servings, self.serving(key)?)))?
    }

    /// `p99 response <= 20 ms and error rate <= 0.1%`; `None` where no SLO was given.
    pub(in crate::report) fn slo(self) -> Option<String> {
        (!self.plan.slo.is_empty()).then(|| listed(self.plan.slo.iter().map(limit)))
    }

    /// Whether the highest rate that keeps the SLO was asked for.
    pub(in crate::report) fn is_of_capacity(self) -> bool {
        match self.plan.question {
            Question::Capacity | Question::Scenario(Scenario::Server) => true,
            Question::Curve { .. }
            | Question::Stress
            | Question::Soak { .. }
            | Question::Users { .. }
            | Question::Scenario(_) => false,
        }
    }

    /// Whether rates are numbers of virtual users.
    pub(in crate::report) fn is_of_users(self) -> bool {
        match &self.plan.question {
            Question::Users { .. } => true,
            Question::Curve { .. }
            | Question::Capacity
            | Question::Stress
            | Question::Soak { .. }
            | Question::Scenario(_) => matches!(self.plan.arrivals, Arrivals::Users { .. }),
        }
    }

    /// `400 requests/s`, or `8 users`, that a point was asked for at.
    pub(in crate::report) fn at(self, point: &LoadPoint) -> String {
        if self.is_of_users() {
            users(point.asked)
        } else {
            asked_rate(point.asked)
        }
    }
}

/// `8 users`.
pub(in crate::report) fn users(count: PerSecond) -> String {
    number_of(count.0.round() as u64, "user")
}

/// `1,240 requests/s`.
pub(in crate::report) fn asked_rate(rate: PerSecond) -> String {
    format!("{} requests/s", asked(rate))
}

/// A rate as it was asked for, with as many digits as it has, at most one behind the point:
/// `1,240`.
pub(in crate::report) fn asked(rate: PerSecond) -> String {
    let is_whole = (rate.0 - rate.0.round()).abs() < 0.05;
    if is_whole || rate.0 >= 1000.0 {
        number::count(rate.0.round() as u64)
    } else {
        number::with_decimals(rate.0, 1)
    }
}

/// `1,240 requests/s (1,210 to 1,270)`.
pub(in crate::report) fn requests(rate: &Estimate) -> String {
    super::amount(Unit::PerSec, rate).replacen("/s", " requests/s", 1)
}

/// `p99 response <= 20 ms`.
pub(in crate::report) fn limit(slo: &Slo) -> String {
    let side = match slo.side {
        Side::AtMost => "<=",
        Side::AtLeast => ">=",
    };
    format!(
        "{} {side} {}",
        slo.metric.label(),
        with_a_space(&as_written(slo, side))
    )
}

/// The limit as it was written.
fn as_written(slo: &Slo, side: &str) -> String {
    let text = slo.to_string();
    match text.split_once(side) {
        Some((_, limit)) => limit.trim().to_owned(),
        None => number::value(slo.metric.unit(), slo.limit, None),
    }
}

/// `20 ms` of `20ms`.
fn with_a_space(quantity: &str) -> String {
    let end = quantity
        .find(|character: char| character.is_ascii_alphabetic())
        .unwrap_or(quantity.len());
    let (number, unit) = quantity.split_at(end);
    if unit.is_empty() || number.ends_with(['/', ' ']) {
        quantity.to_owned()
    } else {
        format!("{number} {unit}")
    }
}

/// How requests arrive: `requests come independently of each other`.
pub(in crate::report) fn arrivals(load: Load<'_>) -> String {
    match &load.plan.arrivals {
        Arrivals::Constant => "requests come at equal distances".into(),
        Arrivals::Poisson => "requests come independently of each other (Poisson)".into(),
        Arrivals::Gamma { variation } => format!(
            "requests come at distances of a gamma distribution with a variation of {}",
            variation.0
        ),
        Arrivals::Bursts { size } => format!("requests come in bursts of {}", number::count(*size)),
        Arrivals::Trace { path, .. } => format!(
            "requests come as in `{}`",
            super::plain(&path.display().to_string())
        ),
        Arrivals::Users { think_ns: Nanos(0) } => {
            "each user sends its next request when the last is answered".into()
        }
        Arrivals::Users { think_ns } => format!(
            "each user sends its next request when the last is answered and it has thought for {} on average",
            short_time(*think_ns)
        ),
    }
}

/// `1 session with 1 thread, each request alone, from a queue of 1,000`.
pub(in crate::report) fn serving(serving: &Serving) -> String {
    let processes = match serving.processes {
        1 => String::new(),
        several => format!(" in each of {several} processes"),
    };
    format!(
        "{} with {}{processes}, {}, from {}",
        number_of(serving.sessions, "session"),
        number_of(serving.callers, "thread"),
        batching(serving.batcher.as_ref()),
        queue(serving)
    )
}

fn batching(batcher: Option<&Batcher>) -> String {
    let Some(batcher) = batcher else {
        return "each request alone".into();
    };
    let preferred = match batcher.preferred.as_slice() {
        [] => String::new(),
        sizes => format!(", without waiting at {}", listed(sizes)),
    };
    format!(
        "in batches of up to {} that wait {} at most{preferred}",
        batcher.max_batch,
        short_time(batcher.max_delay_ns)
    )
}

fn queue(serving: &Serving) -> String {
    match serving.queue_limit {
        Some(limit) => format!("a queue of {}", number::count(limit)),
        None => "a queue without limit".into(),
    }
}

/// `2 ms`: with no more digits than it needs.
pub(in crate::report) fn short_time(time: Nanos) -> String {
    let shown = number::time(time);
    match shown.split_once(' ') {
        Some((digits, unit)) if digits.contains('.') => {
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            format!("{digits} {unit}")
        }
        _ => shown,
    }
}

/// What one of several ways of serving has that another has not.
fn of_its_own(servings: &[Serving], one: &Serving) -> String {
    let all: Vec<Vec<String>> = servings.iter().map(parts).collect();
    let own = parts(one).into_iter().enumerate();
    let own = own.filter(|(place, part)| all.iter().any(|other| other[*place] != *part));
    joined(own.map(|(_, part)| part), ", ")
}

/// Parts of a way of serving, each in one or two words.
fn parts(serving: &Serving) -> Vec<String> {
    let processes = match serving.processes {
        1 => "1 process".into(),
        several => format!("{several} processes"),
    };
    let batches = match &serving.batcher {
        Some(batcher) => format!(
            "batch {} in {}",
            batcher.max_batch,
            short_time(batcher.max_delay_ns)
        ),
        None => "no batches".into(),
    };
    vec![
        processes,
        number_of(serving.sessions, "session"),
        number_of(serving.callers, "thread"),
        batches,
        queue(serving),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_of_serving_are_named_by_what_differs() {
        let alone = Serving::single(Some(1000));
        let batcher = |max_batch| {
            Some(Batcher {
                max_batch,
                max_delay_ns: Nanos(2_000_000),
                preferred: Vec::new(),
            })
        };
        let batched = Serving {
            batcher: batcher(8),
            ..alone.clone()
        };
        let two = Serving {
            sessions: 2,
            ..batched.clone()
        };
        let servings = [alone, batched, two];
        let names = servings.each_ref().map(|one| of_its_own(&servings, one));
        assert_eq!(
            names,
            [
                "1 session, no batches",
                "1 session, batch 8 in 2 ms",
                "2 sessions, batch 8 in 2 ms"
            ]
        );
        assert_eq!(of_its_own(&servings[..2], &servings[1]), "batch 8 in 2 ms");
        assert_eq!(
            serving(&servings[1]),
            "1 session with 1 thread, in batches of up to 8 that wait 2 ms at most, from a queue of 1,000"
        );
    }

    #[test]
    fn limits_stand_as_they_were_written_with_the_name_of_their_figure() {
        for (text, shown) in [
            ("response_p99<=20ms", "p99 response <= 20 ms"),
            ("error_rate <= 0.1%", "error rate <= 0.1%"),
            ("goodput>=500/s", "goodput >= 500/s"),
        ] {
            assert_eq!(limit(&Slo::parse(text).unwrap()), shown);
        }
    }

    #[test]
    fn asked_rates_have_the_digits_that_they_were_asked_for_with() {
        for (rate, shown) in [
            (400.0, "400"),
            (1240.0, "1,240"),
            (0.5, "0.5"),
            (1234.6, "1,235"),
        ] {
            assert_eq!(asked(PerSecond(rate)), shown);
        }
    }
}
