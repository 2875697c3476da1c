//! Configurations as tables, and what became of each.

use super::phrases::Search;
use crate::analysis::tuning::{Candidate, SloStanding, State, TuningVerdict};
use crate::analysis::{Estimate, Interval};
use crate::metric::Metric;
use crate::record::{Bounded, Contest, Fate};
use crate::report::words::{Builder, RowKind, Table, number, plain};

#[derive(Clone, Copy)]
pub(super) enum Fates {
    InOneWord,
    InFull,
}

impl Search<'_> {
    pub(super) fn table(&self, title: &str, places: &[usize], fates: Fates) -> Table {
        let metrics = self.columns();
        let mut header = vec!["configuration", "batch", "vs best"];
        header.extend(metrics.iter().map(|metric| metric.short_label()));
        header.push("outcome");
        let mut table = Builder::new(title, &header);
        for &place in places {
            let one = self.candidate(place);
            let mut line = table.line(self.name(one.key.session));
            line.text(number::count(one.key.batch_size));
            line.text(self.against_best(one));
            for &metric in &metrics {
                if one.is_measured() && metric.is_percentile() {
                    line.bound(metric.label(), metric, &one.figures);
                } else if one.is_measured() && one.figure(metric).is_some() {
                    line.figure(metric.label(), metric, &one.figures, figure);
                } else {
                    line.text("-");
                }
            }
            line.text(match fates {
                Fates::InOneWord => self.word(place).into(),
                Fates::InFull => self.became(place),
            });
            line.end(self.kind(place));
        }
        table.finish(self.notes(places))
    }

    fn kind(&self, place: usize) -> RowKind {
        if self.found.best == Some(place) && self.found.verdict == TuningVerdict::Found {
            RowKind::Pick
        } else if !self.candidate(place).is_measured() {
            RowKind::Absent
        } else if self.found.defaults == Some(place) {
            RowKind::Baseline
        } else {
            RowKind::Plain
        }
    }

    /// `1.05x slower` than the best one, or `~1.05x slower` by way of others.
    fn against_best(&self, one: &Candidate) -> String {
        let Some((cost, is_direct)) = cost(one) else {
            return "-".into();
        };
        let mark = if is_direct { "" } else { "~" };
        format!("{mark}{}", self.ratio(cost, None))
    }

    fn notes(&self, places: &[usize]) -> Vec<String> {
        let mut costs = places
            .iter()
            .map(|&place| self.candidate(place))
            .filter_map(cost)
            .peekable();
        let ratios = costs.peek().map(|_| {
            format!(
                "vs best: {} against the best one's, from blocks that took turns. Judge by it: the other figures are of \
                 different times, between which the machine may have changed its speed.",
                self.subject()
            )
        });
        let has_chains = costs.any(|(_, is_direct)| !is_direct);
        let chains = "~: both took turns with others, by way of which the ratio is told.";
        let chains = has_chains.then(|| chains.to_owned());
        ratios.into_iter().chain(chains).collect()
    }

    pub(super) fn word(&self, place: usize) -> &'static str {
        let one = self.candidate(place);
        match (&one.fate, one.state) {
            (_, State::Best) if self.found.verdict == TuningVerdict::Found => "best",
            (_, State::Best) if self.found.verdict == TuningVerdict::Undecided => "undecided",
            (_, State::Best) => "closest",
            _ if self.found.defaults == Some(place) => "defaults",
            (Some(Fate::Failed { .. }), _) => "failed",
            (_, State::AsGood) => "as good",
            (_, State::Undecided) => "not decided",
            (_, State::Out) => "dropped",
        }
    }

    fn columns(&self) -> Vec<Metric> {
        let mut metrics = vec![
            Metric::LatencyP50,
            Metric::LatencyP99,
            Metric::Throughput,
            Metric::PeakMemory,
        ];
        if !metrics.contains(&self.found.metric) {
            metrics.push(self.found.metric);
        }
        metrics.extend(Metric::SCORES.into_iter().filter(|&metric| {
            self.found
                .candidates
                .iter()
                .filter_map(|one| one.figure(metric))
                .any(|figure| figure.measured().is_some())
        }));
        metrics
    }

    fn became(&self, place: usize) -> String {
        let one = self.candidate(place);
        let role = match one.state {
            State::Best if self.found.verdict == TuningVerdict::Found => return "best".into(),
            State::Best if self.found.verdict == TuningVerdict::Undecided => "the best so far; ",
            State::Best => "closest; ",
            _ if self.found.defaults == Some(place) => "defaults; ",
            _ => "",
        };
        let fate = match &one.fate {
            None if one.standing == SloStanding::Open => {
                "not decided: whether it keeps the SLO is not shown".into()
            }
            None => "not decided".into(),
            Some(Fate::Champion { .. }) if one.state == State::AsGood => {
                "as good as the best one".into()
            }
            Some(fate) => self.fate_in_words(fate),
        };
        format!("{role}{fate}")
    }

    fn fate_in_words(&self, fate: &Fate) -> String {
        match fate {
            Fate::Champion { .. } => "was the best for a while".into(),
            Fate::Worse(contest) => format!("dropped: {}", self.contest_in_words(contest)),
            Fate::Tied(contest) => format!("as good as {}", self.named(contest.against)),
            Fate::BreaksSlo(breach) => {
                format!("dropped: breaks {}", plain(&breach.check.to_string()))
            }
            Fate::LessAccurate {
                difference,
                allowed_ratio,
            } => less_accurate(difference, number::points(-allowed_ratio)),
            Fate::NotFinite => "dropped: outputs are not finite".into(),
            Fate::Failed { reason } => format!("failed: {reason}"),
            Fate::BeyondSlo { batch_size, check } => {
                format!(
                    "not tried: breaks {} at batch {} already",
                    plain(&check.to_string()),
                    number::count(*batch_size)
                )
            }
        }
    }

    /// `throughput 4.0x lower (3.8 to 4.2) than int8 at batch 8`.
    fn contest_in_words(&self, contest: &Contest) -> String {
        let Bounded { value, low, high } = contest.cost_ratio;
        let interval = low.zip(high).map(|(low, high)| Interval { low, high });
        format!(
            "{} {} than {}",
            self.subject(),
            self.ratio(value, interval),
            self.named(contest.against)
        )
    }
}

fn figure(metric: Metric, estimate: &Estimate) -> String {
    let value = estimate.value().unwrap_or_default();
    number::value(metric.unit(), value, estimate.interval())
}

/// The cost of a configuration over that of the best one, and whether both took turns; `None` of
/// the best one itself.
fn cost(one: &Candidate) -> Option<(f64, bool)> {
    let relative = one.relative.as_ref().filter(|_| one.state != State::Best)?;
    Some((relative.cost_ratio.value()?, relative.is_direct))
}

fn less_accurate(difference: &Bounded, allowed: String) -> String {
    let ends = difference
        .low
        .zip(difference.high)
        .map(|(low, high)| format!(" ({} to {})", number::points(low), number::points(high)))
        .unwrap_or_default();
    format!(
        "dropped: top-1 {}{ends}, {allowed} allowed",
        number::points(difference.value)
    )
}
