//! What people read, as text and tables: all scaling, rounding, wording and ordering happens here.
//!
//! Terminal and Markdown draw from one [`View`] and add nothing but layout. Names and messages from outside are
//! harmless for a terminal when they leave this module; escaping for Markdown is left to the renderer.

pub(super) mod accuracy;
pub(super) mod advice;
pub(super) mod answer;
pub(super) mod bottlenecks;
pub(super) mod conditions;
pub(super) mod context;
pub(super) mod distribution;
pub(super) mod explain;
pub(super) mod failed;
pub(super) mod gpu;
pub(super) mod operators;
pub(super) mod placement;
pub(super) mod prediction;
pub(super) mod provenance;
pub(super) mod rival;
pub(super) mod roofline;
pub(super) mod scaling;
pub(super) mod tables;
pub(super) mod tuning;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::analysis::Findings;
use crate::metric::Metric;
use crate::record::{FitnessVerdict, RunRecord};
use crate::report::chapters::advice::{PhaseView, PriorityView};
use crate::report::chapters::bottlenecks::Entry;
use crate::report::chapters::conditions::conditions;
use crate::report::chapters::context::Item;
use crate::report::chapters::distribution::Distributions;
use crate::report::chapters::tuning::TuningView;
use crate::report::charts;
use crate::report::template::{Fields, Filled};
use crate::report::words::section::Section;
use crate::report::words::table::Table;
use crate::report::words::{Source, text};

/// A run as people read it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    /// Name of the run.
    pub title: String,
    /// How the run ended.
    pub ending: String,
    /// Whether the run came to its own end.
    pub complete: bool,
    /// What to ship, the most important line first.
    pub answer: Vec<String>,
    /// One sentence for each variant.
    pub headlines: Vec<String>,
    /// Latencies of single predictions, variant by variant; absent where nothing was timed.
    pub distributions: Option<Distributions>,
    /// Why each variant takes the time that it takes, in a sentence each; empty where operators were not profiled.
    pub why: Vec<String>,
    /// How to read the tables.
    pub legend: String,
    /// Variants for a single prediction.
    pub variants: Table,
    /// All batch sizes.
    pub sweep: Table,
    /// Scores; absent if nothing was scored.
    pub accuracy: Option<Table>,
    /// Agreement with a reference, output by output; absent where the scores say it.
    pub agreement: Option<Table>,
    /// Loading and memory.
    pub loading: Table,
    /// GPU and energy; absent where neither was measured.
    pub energy: Option<Table>,
    /// Charts.
    pub figures: charts::Figures,
    /// How latency and throughput go with batch size and shape.
    pub scaling: Vec<Section>,
    /// Where throughput is worth its latency, and what keeps the latency limit: a line each.
    pub scaling_summary: Vec<String>,
    /// Where the time goes, by operator.
    pub operators: Vec<Section>,
    /// The longest operators of each session; absent where nothing was profiled.
    pub operator_summary: Option<Table>,
    /// Why each session is as fast as it is, against the baseline.
    pub explanations: Vec<Section>,
    /// The search for the best session options; absent if the run is none.
    pub tuning: Option<TuningView>,
    /// Whether the machine was fit to measure on: the verdict, then its reasons.
    pub fitness: Vec<String>,
    /// Whether the figures are worth nothing for the machine's sake.
    pub invalid: bool,
    /// The verdict on the machine; absent if there is none.
    pub fit: Option<FitnessVerdict>,
    /// What the machine went through; empty where the record does not hold it.
    pub conditions: Vec<Item>,
    /// What disturbed the measurement, or would be overlooked.
    pub quality: Vec<String>,
    /// Configuration in force.
    pub configuration: Vec<Item>,
    /// Where the nodes of sessions ran that asked for another execution provider than the CPU's; empty without one.
    pub placement: Vec<Item>,
    /// The machine.
    pub machine: Vec<Item>,
    /// Where everything came from.
    pub provenance: Vec<Item>,
    /// The model files.
    pub models: Vec<Item>,
    /// The command that was run.
    pub command: String,
    /// Fields of the performance template.
    pub fields: Fields,
    /// What the run says of every field of the whole template.
    #[serde(skip)]
    pub template: Filled,
    /// What limits the variants.
    pub bottlenecks: Vec<Entry>,
    /// Advice by priority.
    pub priorities: Vec<PriorityView>,
    /// By which rules advice is ranked, and effort and risk are told.
    pub rules: String,
    /// Advice by effort: the implementation plan.
    pub phases: Vec<PhaseView>,
    /// What was not tried, each with the command that tries it.
    pub not_tried: Vec<Item>,
    /// How much was not tried, in one sentence; absent where nothing was left out.
    pub not_tried_line: Option<String>,
    /// What each figure means.
    pub definitions: Vec<Item>,
}

impl View {
    /// The run as people read it.
    #[must_use]
    pub fn new(record: &RunRecord, findings: &Findings) -> Self {
        let source = Source { record, findings };
        let template = Filled::by(source);
        let tuning = tuning::tuning(source);
        View {
            title: text::plain(&record.run.name),
            ending: context::ending(source),
            complete: findings.ending.complete,
            answer: with_prediction(
                source,
                tuning.as_ref().map_or_else(|| answer::lines(source), |tuning| tuning.answer.clone()),
            ),
            headlines: headlines(source),
            distributions: distribution::distributions(source),
            why: explain::sentences(source),
            legend: LEGEND.into(),
            variants: tables::variants(source),
            sweep: tables::sweep(source),
            accuracy: accuracy::scores(source),
            agreement: accuracy::agreement(source),
            loading: tables::loading(source),
            energy: gpu::energy(source),
            figures: match &tuning {
                Some(_) => charts::Figures::new(source).of_search(),
                None => charts::Figures::new(source),
            },
            scaling: scaling::sections(source),
            scaling_summary: scaling::summary(source),
            operators: [operators::sections(source), roofline::sections(source)].concat(),
            operator_summary: operators::summary(source),
            explanations: explain::sections(source),
            tuning,
            fitness: match &findings.ending.fitness {
                Some(fitness) => conditions::verdict(fitness),
                None => vec![conditions::not_judged(findings.ending.complete)],
            },
            invalid: findings.ending.fitness.as_ref().is_some_and(|fitness| fitness.verdict == FitnessVerdict::Invalid),
            fit: findings.ending.fitness.as_ref().map(|fitness| fitness.verdict),
            conditions: record.conditions.iter().flat_map(|seen| conditions(&record.host, seen)).collect(),
            quality: context::quality(source),
            configuration: context::configuration(source),
            placement: placement::placement(source),
            machine: context::machine(&record.host),
            provenance: provenance::items(source),
            models: provenance::models(source),
            command: bottlenecks::command(&record.run.command),
            fields: Fields::of(&template),
            template,
            bottlenecks: bottlenecks::bottlenecks(source),
            priorities: advice::priorities(source),
            rules: advice::rules(),
            phases: advice::phases(source),
            not_tried: advice::not_tried(source),
            not_tried_line: advice::not_tried_line(source),
            definitions: definitions(findings),
        }
    }
}

const LEGEND: &str = "How to read: 2.1 (2.0 to 2.2) is a value with its 95% confidence interval over fresh worker \
processes; ± is the wider half of that interval, in percent of the value; why a - stands somewhere is said below the \
table.";

/// The answer with what one prediction was in its second line.
fn with_prediction(source: Source<'_>, mut answer: Vec<String>) -> Vec<String> {
    let second = answer.len().min(1);
    answer.splice(second..second, prediction::lines(source));
    answer
}

/// A sentence for each variant; a search has said what became of each.
fn headlines(source: Source<'_>) -> Vec<String> {
    let headlines = source.findings.decisions.headlines.iter().filter(|_| source.findings.tuning.is_none());
    headlines.map(|headline| answer::headline(source, headline)).collect()
}

/// The definition of every metric that the run has a figure of, in the metrics' own order.
fn definitions(findings: &Findings) -> Vec<Item> {
    let of_sessions = findings.sessions.iter().flat_map(|session| &session.figures);
    let longest = findings.cells.iter().max_by_key(|cell| cell.figures.len());
    let of_cells = longest.into_iter().flat_map(|cell| &cell.figures);
    let metrics: BTreeSet<Metric> = of_sessions.chain(of_cells).map(|figure| figure.metric).collect();
    metrics.into_iter().map(|metric| Item::new(metric.label(), metric.definition())).collect()
}
