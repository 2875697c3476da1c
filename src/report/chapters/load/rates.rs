//! Response, waiting and service over the offered rate.

use super::cells;
use super::on_screen::kept_word;
use crate::analysis::Estimate;
use crate::analysis::load::LoadPoint;
use crate::metric::Unit;
use crate::plan::{Question, Scenario};
use crate::record::{LoadKey, LoadStage};
use crate::report::chapter::{Audience, Block, Chapter, Place};
use crate::report::charts;
use crate::report::words::load::{self, Load};
use crate::report::words::{Builder, Line, RowKind, Source, Table, number};

pub(in crate::report::chapters) fn chapter(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("rates", "Rates", "Response over offered rates").titled();
    let Some(load) = Load::of(source) else {
        return chapter;
    };
    let chapter = match has_rates(load) {
        true => chapter
            .open()
            .with(Block::Charts(charts::load::over_rates(load))),
        false => chapter,
    };
    chapter
        .table(times(load))
        .only(Audience::BROWSER, Block::table(Place::Folded, flows(load)))
        .only(Audience::AS_TEXT, Block::table(Place::Open, flows(load)))
}

/// Whether several rates, or numbers of users, were asked for.
fn has_rates(load: Load<'_>) -> bool {
    match load.plan.question {
        Question::Curve { .. }
        | Question::Capacity
        | Question::Users { .. }
        | Question::Scenario(Scenario::Server) => true,
        Question::Stress | Question::Soak { .. } | Question::Scenario(_) => false,
    }
}

/// What the response is made of, among the evidence.
pub(in crate::report::chapters) fn parts(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("parts", "Waiting and service", "Waiting and service");
    match Load::of(source).filter(|load| has_rates(*load)) {
        Some(load) => chapter.with(Block::Charts(charts::load::parts_over_rates(load))),
        None => chapter,
    }
}

/// A point of a candidate, as a row is named.
struct Named<'a> {
    key: LoadKey,
    point: &'a LoadPoint,
}

/// Of the search, one for each rate: its edge has many.
fn points(load: Load<'_>) -> Vec<Named<'_>> {
    let candidates = load.candidates();
    candidates
        .flat_map(|candidate| {
            candidate.points.iter().map(|point| Named {
                key: candidate.key,
                point,
            })
        })
        .collect()
}

fn stage(stage: LoadStage) -> &'static str {
    match stage {
        LoadStage::Asked => "asked for",
        LoadStage::Bracket => "search",
        LoadStage::Edge => "at the edge",
        LoadStage::Before => "before the ramp",
        LoadStage::Ramp => "ramp",
        LoadStage::Soak => "soak",
    }
}

impl Named<'_> {
    fn begin<'t>(&self, load: Load<'_>, table: &'t mut Builder) -> Line<'t> {
        let name = load.name(self.key);
        let at = load::asked(self.point.asked);
        let row = format!("{name} at {at}");
        let stage = stage(self.point.stage).to_owned();
        table.line_of(vec![name, stage, at], row)
    }
}

fn head(load: Load<'_>) -> &'static str {
    if load.is_of_users() { "users" } else { "at/s" }
}

fn times(load: Load<'_>) -> Table {
    let header = [
        "variant",
        "part",
        head(load),
        "SLO",
        "p50",
        "p95",
        "p99",
        "p99.9",
        "waiting p50",
        "waiting p99",
        "service p50",
        "service p99",
        "requests",
        "rounds",
    ];
    let mut table = Builder::new("Response, waiting and service", &header);
    for named in points(load) {
        let point = named.point;
        let mut line = named.begin(load, &mut table);
        line.text(kept_word(load, point));
        let [response, waiting, service] = [&point.response, &point.waiting, &point.service];
        for (head, estimate) in [
            ("p50", &response.p50),
            ("p95", &response.p95),
            ("p99", &response.p99),
            ("p99.9", &response.p999),
            ("waiting p50", &waiting.p50),
            ("waiting p99", &waiting.p99),
            ("service p50", &service.p50),
            ("service p99", &service.p99),
        ] {
            line.estimate(head, Some(estimate), cells::time);
        }
        line.text(number::count(point.requests_count));
        line.text(number::count(point.segments.rounds_count));
        line.end(RowKind::Plain);
    }
    let mut notes = vec![
        "response: from the scheduled arrival to the last output; waiting: to the start of the inference; service: from \
         there to the last output"
            .to_owned(),
    ];
    notes.extend(
        load.slo()
            .map(|slo| format!("SLO: {slo}, by the whole 95% interval")),
    );
    table.finish(notes)
}

fn flows(load: Load<'_>) -> Table {
    let header = [
        "variant",
        "part",
        head(load),
        "offered/s",
        "completed/s",
        "rejected/s",
        "failed/s",
        "error rate",
        "goodput/s",
        "requests of a batch",
        "queue, mean",
        "queue, most",
        "queue growth/s",
        "CPU",
        "memory",
    ];
    let mut table = Builder::new("What became of requests, and what it took", &header);
    for named in points(load) {
        let point = named.point;
        let mut line = named.begin(load, &mut table);
        let flow = &point.flow;
        for (head, estimate) in [
            ("offered/s", &flow.offered_per_sec),
            ("completed/s", &flow.achieved_per_sec),
            ("rejected/s", &flow.rejected_per_sec),
            ("failed/s", &flow.failed_per_sec),
        ] {
            line.estimate(head, Some(estimate), rate);
        }
        line.estimate("error rate", Some(&flow.error_rate), cells::small_share);
        line.estimate("goodput/s", Some(&flow.goodput_per_sec), rate);
        line.estimate("requests of a batch", Some(&point.usage.batch_mean), count);
        line.estimate("queue, mean", Some(&point.usage.queue_mean), count);
        line.text(number::count(point.usage.queue_most_count));
        line.estimate(
            "queue growth/s",
            Some(&point.usage.queue_slope_per_sec),
            |found| cells::slope(Unit::Count, found),
        );
        line.estimate("CPU", Some(&point.usage.cpu_utilization), cells::share);
        line.text(cells::memory(point));
        line.end(RowKind::Plain);
    }
    table.finish([
        "goodput: responses within the bound on the response; CPU: of all CPUs that may be used; memory: resident, of the \
         processes that serve together, at most"
            .into(),
    ])
}

fn rate(estimate: &Estimate) -> String {
    cells::amount(Unit::PerSec, estimate).replacen("/s", "", 1)
}

fn count(estimate: &Estimate) -> String {
    cells::amount(Unit::Count, estimate)
}
