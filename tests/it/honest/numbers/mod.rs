//! Every number of a report comes from a value of its record or findings, or from a constant that
//! is listed with its reason.
//!
//! Three records of one form, in which all that can differ does, are rendered. A number's place in
//! the text, which is the words around it, is the same in all three; so is where it comes from: a
//! value of the record or findings that each rendering's number is a rounding of.

mod records;
mod spelled;
mod traced;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use onnxprof::analysis::comparison::{Comparisons, NamedRun, compare};
use onnxprof::analysis::gate::{self, Gate, Run, Terms};
use onnxprof::analysis::{self, Findings};
use onnxprof::record::RunRecord;
use onnxprof::report::view::{ComparisonView, GateView};
use onnxprof::report::{self, Beside, Color, Filled, Report};
use onnxprof::stats::Quantile;
use onnxprof::units::Nanos;

use records::COPIES;
use spelled::{Spelled, numbers};
use traced::Pool;

/// A text in three renderings, with what its numbers may come from.
struct Rendered<'p> {
    texts: [String; COPIES],
    pools: &'p [Pool; COPIES],
}

/// What people read of a run: reports, and what `gate` and `compare` say. The page has the chapters of
/// the written report, as a test of its own holds, and pictures.
fn renderings(run: &RunRecord, findings: &Findings) -> Vec<(&'static str, String)> {
    let report = Report::new(run, findings);
    let filled = Filled::new(run, findings, &Beside::default());
    let mut all = vec![
        ("screen", report::screen(&report, None, Color::Never)),
        ("terminal", report::terminal(&report, None, Color::Never)),
        ("markdown", report::markdown(&report).unwrap()),
        ("full", report::full_markdown(&report, &filled).unwrap()),
    ];
    if let Some(gate) = gated(run, findings) {
        let view = GateView::new(&gate);
        all.push(("gate", report::gate_terminal(&view, Color::Never)));
    }
    if let Some(found) = compared(run) {
        let view = ComparisonView::new(&found);
        all.push(("compare", report::comparison_markdown(&view).unwrap()));
    }
    all
}

/// By the rules that `gate init` writes for it.
fn gated(run: &RunRecord, findings: &Findings) -> Option<Gate> {
    let run = Run {
        record: run,
        findings,
    };
    let rules = gate::rules(&gate::init(run)).ok()?;
    gate::gate(&rules, run, Terms::default()).ok()
}

/// With a run that took a tenth longer.
fn compared(run: &RunRecord) -> Option<Comparisons> {
    let mut later = run.clone();
    for block in &mut later.blocks {
        for time in [&mut block.median_ns, &mut block.mean_ns, &mut block.p10_ns] {
            *time = Nanos(time.0 * 11 / 10);
        }
    }
    let named = [
        NamedRun::new("old".into(), run),
        NamedRun::new("new".into(), &later),
    ];
    compare(&named, None).ok()
}

/// All values that a run's texts may name.
fn pool(run: &RunRecord, findings: &Findings) -> Pool {
    let mut pool = Pool::new(run, findings);
    if let Some(gate) = gated(run, findings) {
        pool.add("/gate", &serde_json::to_value(&gate).unwrap());
    }
    if let Some(found) = compared(run) {
        pool.add("/compared", &serde_json::to_value(&found).unwrap());
    }
    let sessions = run.plan.sessions.len();
    for session in std::iter::once(None).chain((0..sessions).map(Some)) {
        if let Some(found) = analysis::requests(run, session) {
            let counted = [found.sent_count, found.failed_count].map(|count| count as f64);
            pool.value("/requests/sent".into(), counted[0]);
            pool.value("/requests/failed".into(), counted[1]);
            pool.value("/requests/high".into(), found.interval.high);
        }
    }
    let day = run.run.started_at.exact().split('T').next();
    pool.texts.extend(day.map(str::to_owned));
    pool.sort();
    pool
}

/// A text without what the record and findings say word by word.
fn masked(text: &str, pool: &Pool) -> String {
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut texts: Vec<&String> = pool.texts.iter().collect();
    texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    for own in texts {
        let own = own.split_whitespace().collect::<Vec<_>>().join(" ");
        if own.chars().count() > 3 && own.contains(|letter: char| letter.is_ascii_digit()) {
            text = text.replace(&own, "…");
        }
    }
    text
}

/// Numbers by place, those of one place in their order.
fn by_place(text: &str) -> BTreeMap<String, Vec<Spelled>> {
    let mut places: BTreeMap<String, Vec<Spelled>> = BTreeMap::new();
    for number in numbers(text) {
        places.entry(number.place()).or_default().push(number);
    }
    places
}

/// What was found of the numbers of a text.
#[derive(Default)]
struct Traced {
    /// Numbers in all.
    all: usize,
    /// Those that stand at the same place in every rendering.
    aligned: usize,
    /// Those that come from nothing, with the words around them.
    untraced: Vec<String>,
}

fn traced(rendered: &Rendered<'_>) -> Traced {
    let texts = rendered.texts.iter().zip(rendered.pools);
    let places: Vec<_> = texts
        .map(|(text, pool)| by_place(&masked(text, pool)))
        .collect();
    let mut traced = Traced::default();
    for (place, first) in &places[0] {
        traced.all += first.len();
        let others: Vec<_> = places[1..]
            .iter()
            .filter_map(|one| one.get(place))
            .collect();
        let is_aligned =
            others.len() + 1 == COPIES && others.iter().all(|other| other.len() == first.len());
        traced.aligned += if is_aligned { first.len() } else { 0 };
        for (at, number) in first.iter().enumerate() {
            let others: Vec<&Spelled> = match is_aligned {
                true => others.iter().map(|other| &other[at]).collect(),
                false => Vec::new(),
            };
            if !has_source(number, &others, rendered.pools) {
                let values = others.iter().map(|other| format!(" / {}", other.text));
                traced
                    .untraced
                    .push(number.told() + &values.collect::<String>());
            }
        }
    }
    traced
}

/// Whether there is a value that the number is a rounding of, and its counterparts of the same
/// value of theirs.
fn has_source(number: &Spelled, others: &[&Spelled], pools: &[Pool; COPIES]) -> bool {
    let mut sources = pools[0].sources(number);
    sources.any(|source| {
        let mut others = others.iter().zip(&pools[1..]);
        others.all(|(other, pool)| pool.has(source, other))
    })
}

/// The texts of three records, format by format, with what their numbers may come from.
fn each_format(runs: &[RunRecord; COPIES], mut check: impl FnMut(&str, &Rendered<'_>)) {
    let findings = runs.each_ref().map(analysis::findings);
    let texts: [_; COPIES] = std::array::from_fn(|copy| renderings(&runs[copy], &findings[copy]));
    let pools: [_; COPIES] = std::array::from_fn(|copy| pool(&runs[copy], &findings[copy]));
    for (at, (format, _)) in texts[0].iter().enumerate() {
        let rendered = Rendered {
            texts: std::array::from_fn(|copy| texts[copy][at].1.clone()),
            pools: &pools,
        };
        check(format, &rendered);
    }
}

/// Constants with the words that they stand in, and their reasons.
const CONSTANTS: &str = "tests/it/honest/numbers/constants.txt";

/// Names in the list whose value is the code's own.
fn filled_in(line: &str) -> String {
    line.replace("{P99_NEEDS}", &Quantile::P99.needs().to_string())
}

/// The words of each constant.
fn constants() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(CONSTANTS);
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (words, reason) = line
                .split_once(" | ")
                .unwrap_or_else(|| panic!("no reason: {line}"));
            assert!(words.contains('«') && reason.len() > 5, "{line}");
            filled_in(words)
        })
        .collect()
}

/// Whether the words of a constant are around a number; `«*»` stands for whichever it is.
fn is_listed(told: &str, constant: &str) -> bool {
    let Some((before, behind)) = constant.split_once("«*»") else {
        return told.contains(constant);
    };
    let number = told.split_once('«').zip(told.split_once('»'));
    number.is_some_and(|((start, _), (_, end))| start.ends_with(before) && end.starts_with(behind))
}

#[test]
fn every_number_comes_from_the_record_its_findings_or_a_listed_constant() {
    let constants = constants();
    let mut wrong: BTreeMap<String, String> = BTreeMap::new();
    let mut used = BTreeSet::new();
    for (kind, runs) in records::kinds() {
        each_format(&runs, |format, rendered| {
            let traced = traced(rendered);
            println!(
                "{kind}, {format}: {} of {} numbers aligned",
                traced.aligned, traced.all
            );
            for number in traced.untraced {
                match constants
                    .iter()
                    .position(|constant| is_listed(&number, constant))
                {
                    Some(constant) => _ = used.insert(constant),
                    None => _ = wrong.insert(number, format!("{kind}, {format}")),
                }
            }
        });
    }
    let unused: Vec<_> = (0..constants.len())
        .filter(|at| !used.contains(at))
        .map(|at| &constants[at])
        .collect();
    assert!(wrong.is_empty(), "{} numbers:\n{wrong:#?}", wrong.len());
    assert!(unused.is_empty(), "{unused:#?}");
}

#[test]
fn a_number_that_comes_from_nowhere_is_found() {
    let (_, runs) = records::kinds().swap_remove(0);
    let plants = [
        "it takes 371 weeks",
        "saves 37.4% of the cost",
        "13.7x as good",
        "after 4.81 ms of it",
    ];
    each_format(&runs, |format, rendered| {
        let planted = Rendered {
            texts: rendered
                .texts
                .clone()
                .map(|text| format!("{text} . planted: {}", plants.join(" . "))),
            pools: rendered.pools,
        };
        let found = traced(&planted).untraced;
        for plant in plants {
            let number = plant
                .split(' ')
                .find(|word| word.contains(|letter: char| letter.is_ascii_digit()))
                .unwrap();
            let digits = number.trim_end_matches(['%', 'x']);
            let is_found = found
                .iter()
                .any(|found| found.contains(&format!("«{digits}»")));
            assert!(is_found, "{format}: {plant} is not in {found:#?}");
        }
    });
}
