//! Candidates beside the first one.

use crate::analysis::load::LoadComparison;
use crate::analysis::{Estimate, Measured};
use crate::report::chapter::Chapter;
use crate::report::words::load::{Load, asked};
use crate::report::words::number::{Ways, relative, times};
use crate::report::words::{Builder, Line, RowKind, Source, Table};

pub(in crate::report::chapters) fn chapter(source: Source<'_>) -> Chapter {
    let chapter =
        Chapter::new("candidates", "Comparison", "Comparison of what was loaded").titled();
    match Load::of(source) {
        Some(load) if !load.found.comparisons.is_empty() => chapter
            .open()
            .table(capacities(load))
            .folded([responses(load)]),
        Some(_) | None => chapter,
    }
}

fn capacities(load: Load<'_>) -> Table {
    let mut table = Builder::new("Capacities", &["variant", "against", "capacity"]);
    let comparisons = load.found.comparisons.iter();
    for one in comparisons.filter(|one| one.capacity_ratio.measured().is_some()) {
        let mut line = begin(load, one, &mut table);
        line.estimate("capacity", Some(&one.capacity_ratio), |ratio| {
            shown(ratio, |ratio| times(ratio.value, ratio.interval))
        });
        line.end(RowKind::Plain);
    }
    table.finish([])
}

fn responses(load: Load<'_>) -> Table {
    let header = [
        "variant",
        "against",
        "at/s",
        "median response",
        "p99 response",
    ];
    let mut table = Builder::new("Responses at the same rates", &header);
    for one in &load.found.comparisons {
        for at in &one.rates {
            let mut line = begin(load, one, &mut table);
            line.text(asked(at.rate_per_sec));
            line.estimate("median response", Some(&at.response_p50_ratio), faster);
            line.estimate("p99 response", Some(&at.response_p99_ratio), faster);
            line.end(RowKind::Plain);
        }
    }
    table.finish(["open: the 95% interval of the ratio holds 1, or there is none".into()])
}

fn begin<'t>(load: Load<'_>, one: &LoadComparison, table: &'t mut Builder) -> Line<'t> {
    let name = load.name(one.key);
    table.line_of(vec![name.clone(), load.name(one.reference)], name)
}

fn faster(ratio: &Estimate) -> String {
    shown(ratio, |ratio| {
        relative(ratio.value, ratio.interval, Ways::TIME)
    })
}

/// As `words` has it where the interval of a ratio leaves 1 out.
fn shown(ratio: &Estimate, words: fn(&Measured) -> String) -> String {
    let Some(ratio) = ratio.measured() else {
        return String::new();
    };
    match ratio.interval {
        Some(ends) if ends.low > 1.0 || ends.high < 1.0 => words(ratio),
        Some(_) | None => format!("open: {}", times(ratio.value, ratio.interval)),
    }
}
