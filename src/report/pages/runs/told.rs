//! What each of several runs is: when, on which machine, with which library and files, and what
//! differs from the first one.

use std::path::Path;

use super::over_each_other::{Overlay, run_name};
use crate::analysis::comparison::{ComparedRun, Difference};
use crate::record::{RunRecord, VariantRecord};
use crate::report::chapters::{conditions, context};
use crate::report::pages::comparison::differing;
use crate::report::words::{self, Builder, Item, Table, plain, shortened};
use crate::text::Plain;

/// Hexadecimal digits of a hash that a table shows.
const DIGITS: usize = 12;

pub(super) fn runs(overlay: &Overlay<'_>) -> Vec<Item> {
    let compared = overlay.comparisons.runs.iter().enumerate();
    compared
        .map(|(run, compared)| Item::list(run_name(run), run_lines(overlay, run, compared)))
        .collect()
}

fn run_lines(overlay: &Overlay<'_>, run: usize, compared: &ComparedRun) -> Vec<String> {
    let record = overlay.runs[run].record;
    let mut lines = vec![
        format!(
            "{}, {}, started {}",
            plain(&compared.path.display().to_string()),
            plain(&record.run.name),
            plain(&record.run.started_at)
        ),
        machine(record, run, compared),
        library(record),
        fitness(compared),
    ];
    let differences = [&compared.host_differences, &compared.other_differences];
    let differences = differences.into_iter().filter_map(|found| differing(found));
    let differences = words::joined(differences, "; ");
    lines.extend((!differences.is_empty()).then(|| format!("Differs from run 1: {differences}")));
    let left_out = words::listed(compared.left_out.iter().map(plain));
    lines.extend((!left_out.is_empty()).then(|| format!("Not compared: {left_out}")));
    lines
}

fn machine(record: &RunRecord, run: usize, compared: &ComparedRun) -> String {
    if run > 0 && compared.host_differences.is_empty() {
        return "Machine: like that of run 1".into();
    }
    format!(
        "Machine: {}",
        words::joined(context::hardware(&record.host), "; ")
    )
}

fn library(record: &RunRecord) -> String {
    let libraries = record
        .runtimes
        .iter()
        .map(|runtime| format!("ONNX Runtime {}", runtime.version));
    match words::listed(words::once(libraries)) {
        none if none.is_empty() => "Library: not told".into(),
        libraries => format!("Library: {libraries}"),
    }
}

fn fitness(compared: &ComparedRun) -> String {
    match &compared.fitness {
        Some(fitness) => format!("Machine state: {}", fitness.verdict.word()),
        None => conditions::not_judged(compared.complete),
    }
}

/// A model file by what is in it.
struct File<'a> {
    variant: String,
    path: &'a Path,
    /// Of the model and of the weights outside it; empty where it could not be read.
    hashes: Vec<&'a Plain>,
    runs: Vec<usize>,
}

/// One row for each file that differs by its SHA-256, with the runs that measured it.
pub(super) fn files(overlay: &Overlay<'_>) -> Table {
    let mut files: Vec<File<'_>> = Vec::new();
    for (run, source) in overlay.runs.iter().enumerate() {
        for (variant, found) in source
            .record
            .plan
            .variants
            .iter()
            .zip(&source.record.variants)
        {
            let file = File {
                variant: plain(&variant.name),
                path: &variant.path,
                hashes: hashes(found),
                runs: vec![run],
            };
            match files.iter_mut().find(|known| known.is_same(&file)) {
                Some(known) => known.runs.push(run),
                None => files.push(file),
            }
        }
    }
    let order = words::once(files.iter().map(|file| file.variant.clone()));
    files.sort_by_key(|file| order.iter().position(|variant| *variant == file.variant));
    let mut table = Builder::new("Files", &["variant", "file", "SHA-256", "in"]);
    for file in &files {
        let hash = match file.hashes.first() {
            Some(hash) => shortened_hash(hash),
            None => table.absence("SHA-256", &file.variant, "the file could not be read"),
        };
        table.plain_row(vec![file.variant.clone(), file.name(), hash, file.places()]);
    }
    table.finish(["one row is one file, whatever it was called".to_owned()])
}

fn hashes(found: &VariantRecord) -> Vec<&Plain> {
    let outside = found.external_sha256.values();
    found.sha256.iter().chain(outside).collect()
}

fn shortened_hash(hash: &Plain) -> String {
    let digits: String = hash.exact().chars().take(DIGITS).collect();
    plain(&digits)
}

impl File<'_> {
    fn is_same(&self, other: &File<'_>) -> bool {
        self.variant == other.variant && !self.hashes.is_empty() && self.hashes == other.hashes
    }

    fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        shortened(&plain(&name.to_string_lossy().into_owned()), 40)
    }

    /// `runs 1, 2 and 4`.
    fn places(&self) -> String {
        match self.runs.as_slice() {
            [only] => run_name(*only),
            runs => format!("runs {}", words::listed(runs.iter().map(|run| run + 1))),
        }
    }
}

/// Session options that differ from those of the first run.
pub(super) fn options(overlay: &Overlay<'_>) -> Vec<String> {
    let pairs = overlay.comparisons.pairs.iter();
    pairs
        .filter_map(|pair| {
            let differences: &[Difference] = &pair.differences;
            Some(format!(
                "{} in {}: {}",
                plain(&pair.candidate.label),
                run_name(pair.candidate.run),
                differing(differences)?
            ))
        })
        .collect()
}
