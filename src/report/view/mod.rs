//! What people read, as text and tables: all scaling, rounding, wording and ordering happens here.
//!
//! Terminal and Markdown draw from one [`View`] and add nothing but layout. Names and messages from outside are
//! harmless for a terminal when they leave this module; escaping for Markdown is left to the renderer.

mod advice;
mod answer;
mod comparison;
mod conditions;
mod context;
mod explain;
mod forecast;
mod gate;
mod gpu;
mod null_test;
pub mod number;
mod operators;
mod overview;
mod placement;
mod scaling;
mod section;
mod table;
mod tables;
mod template;
pub mod text;
mod words;

pub use advice::{AdviceView, Entry, PriorityView};
pub use comparison::{ComparisonView, difference};
pub use conditions::{conditions, verdict};
pub use context::{Item, machine};
pub use forecast::{Forecast, ForecastView};
pub use gate::{CheckView, GateView};
pub use gpu::gpu_settings;
pub use null_test::smallest_claims;
pub use section::Section;
pub use table::{Row, RowKind, Table};
pub use template::Fields;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::analysis::Findings;
use crate::record::{FitnessVerdict, Metric, RunRecord};
use words::Source;

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
    /// How latency and throughput go with batch size and shape.
    pub scaling: Vec<Section>,
    /// Where the time goes, by operator.
    pub operators: Vec<Section>,
    /// Why each session is as fast as it is, against the baseline.
    pub explanations: Vec<Section>,
    /// Whether the machine was fit to measure on: the verdict, then its reasons.
    pub fitness: Vec<String>,
    /// Whether the figures are worth nothing for the machine's sake.
    pub invalid: bool,
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
    /// What limits the variants.
    pub bottlenecks: Vec<Entry>,
    /// Advice by priority.
    pub priorities: Vec<PriorityView>,
    /// What each figure means.
    pub definitions: Vec<Item>,
}

impl View {
    /// The run as people read it.
    #[must_use]
    pub fn new(record: &RunRecord, findings: &Findings) -> Self {
        let source = Source { record, findings };
        View {
            title: text::plain(&record.run.name),
            ending: context::ending(source),
            complete: findings.complete,
            answer: answer::lines(source),
            headlines: findings.headlines.iter().map(|headline| answer::headline(source, headline)).collect(),
            legend: LEGEND.into(),
            variants: tables::variants(source),
            sweep: tables::sweep(source),
            accuracy: tables::accuracy(source),
            agreement: tables::agreement(source),
            loading: tables::loading(source),
            energy: gpu::energy(source),
            scaling: scaling::sections(source),
            operators: operators::sections(source),
            explanations: explain::sections(source),
            fitness: match &findings.fitness {
                Some(fitness) => conditions::verdict(fitness),
                None => vec![conditions::not_judged(findings.complete)],
            },
            invalid: findings.fitness.as_ref().is_some_and(|fitness| fitness.verdict == FitnessVerdict::Invalid),
            conditions: record.conditions.iter().flat_map(|seen| conditions(&record.host, seen)).collect(),
            quality: context::quality(source),
            configuration: context::configuration(source),
            placement: placement::placement(source),
            machine: context::machine(&record.host),
            provenance: context::provenance(source),
            models: context::models(source),
            command: advice::command(&record.run.command),
            fields: template::fields(source),
            bottlenecks: advice::bottlenecks(source),
            priorities: advice::priorities(source),
            definitions: definitions(findings),
        }
    }
}

const LEGEND: &str = "How to read: 2.1 (2.0 to 2.2) is a value with its 95% confidence interval over fresh worker \
processes; ± is the wider half of that interval, in percent of the value; why a - stands somewhere is said below the \
table.";

/// The definition of every metric that the run has a figure of, in the metrics' own order.
fn definitions(findings: &Findings) -> Vec<Item> {
    let of_sessions = findings.sessions.iter().flat_map(|session| &session.figures);
    let longest = findings.cells.iter().max_by_key(|cell| cell.figures.len());
    let of_cells = longest.into_iter().flat_map(|cell| &cell.figures);
    let metrics: BTreeSet<Metric> = of_sessions.chain(of_cells).map(|figure| figure.metric).collect();
    metrics.into_iter().map(|metric| Item::new(metric.label(), metric.definition())).collect()
}
