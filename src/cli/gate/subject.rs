//! What a gate is given: runs, and model files that are measured for it.

use std::path::{Path, PathBuf};

use crate::analysis::{self, Findings, gate};
use crate::cli::{CliError, Result, runs};
use crate::hash;
use crate::plan::Variant;
use crate::record::{RunRecord, VariantRecord};
use crate::text::joined;

/// One side of a gate.
#[derive(Debug)]
pub(super) enum Subject {
    Run(Box<Loaded>),
    /// A model file.
    Model(PathBuf),
}

/// A run, with what was found in it.
#[derive(Debug)]
pub(super) struct Loaded {
    pub path: PathBuf,
    pub record: RunRecord,
    pub findings: Findings,
}

impl Subject {
    /// A model file by its name, else a run.
    pub fn read(path: &Path) -> Result<Self> {
        let is_model = path
            .extension()
            .is_some_and(|own| own.eq_ignore_ascii_case("onnx") || own.eq_ignore_ascii_case("ort"));
        if is_model && !path.is_dir() {
            return Ok(Subject::Model(path.to_owned()));
        }
        Ok(Subject::Run(Box::new(Loaded::read(path)?)))
    }
}

impl Loaded {
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Loaded::of(path.to_owned(), runs::load(path)?))
    }

    pub fn of(path: PathBuf, record: RunRecord) -> Self {
        let findings = analysis::findings(&record);
        Loaded {
            path,
            record,
            findings,
        }
    }

    pub fn run(&self) -> gate::Run<'_> {
        gate::Run {
            record: &self.record,
            findings: &self.findings,
        }
    }

    /// Name of a variant.
    pub fn name(&self, variant: usize) -> &str {
        self.record.plan.variants[variant].name.exact()
    }

    /// Whether a rule means a variant by that name.
    pub fn is_called(&self, variant: usize, name: &str) -> bool {
        let Variant { path, .. } = &self.record.plan.variants[variant];
        self.name(variant) == name || path.file_stem().is_some_and(|stem| stem == name)
    }

    /// The variant that a model file is another version of: the only one, or the one whose file has
    /// its name.
    pub fn variant_like(&self, model: &Path) -> Result<usize> {
        let variants = &self.record.plan.variants;
        if variants.len() == 1 {
            return Ok(0);
        }
        let found = variants
            .iter()
            .position(|variant| variant.path.file_stem() == model.file_stem());
        found.ok_or_else(|| {
            let names = joined(variants.iter().map(|variant| variant.path.display()));
            let (run, model) = (self.path.display(), model.display());
            CliError::bad_input(
                format!("the run in `{run}` has no file of the name of `{model}`, but {names}"),
                "name the two model files",
            )
        })
    }

    /// The file of a variant, if it and those that it names are still what the run measured.
    pub fn file(&self, variant: usize) -> Result<PathBuf> {
        let Variant { path, .. } = &self.record.plan.variants[variant];
        let path = self.record.run.working_dir.join(path);
        check_file(&path, &self.record.variants[variant]).map_err(|reason| {
            let run = self.path.display();
            CliError::bad_input(reason, "name the model file that is meant").causing(format!(
                "`{}` of the run in `{run}` cannot be measured again",
                path.display()
            ))
        })?;
        Ok(path)
    }
}

/// Makes sure that a file and those that it names have the sums that were recorded.
fn check_file(path: &Path, recorded: &VariantRecord) -> Result<(), String> {
    let sums = recorded.sha256.iter().map(|sum| (path, sum)).chain(
        recorded
            .external_sha256
            .iter()
            .map(|(file, sum)| (file.as_path(), sum)),
    );
    for (file, recorded) in sums {
        let file = match path.parent() {
            // Files that a model names are told as seen from the folder of the run.
            Some(folder) if file != path => folder.join(file.file_name().unwrap_or_default()),
            _ => file.to_owned(),
        };
        let sum = hash::of_file(&file).map_err(|error| format!("`{}`: {error}", file.display()))?;
        if *recorded != sum {
            return Err(format!(
                "`{}` is another file than the one that the run measured, by its SHA-256",
                file.display()
            ));
        }
    }
    match recorded.sha256 {
        Some(_) => Ok(()),
        None => Err("the run did not record its SHA-256".into()),
    }
}
