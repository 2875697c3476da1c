//! Under which name in the user's cache the result of trying a model out is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::Job;
use crate::plan::InputRequest;
use crate::protocol::Described;
use crate::record::ModelSummary;
use crate::runtime::Cache;

/// Files beside a model that may say what to feed it.
const BESIDE: [&str; 5] =
    ["config.json", "preprocessor_config.json", "tokenizer_config.json", "genai_config.json", "config.pbtxt"];

/// The file for a variant of a job in one of its sessions; absent where there is no cache.
///
/// The name says of which model it is and with which inputs, and then with which library and options: what is known of the
/// first alone can be looked up without the other.
pub(super) fn file(job: &Job, described: &Described, session: usize) -> Option<PathBuf> {
    let (plan, spec) = (&job.plan, &job.plan.sessions[session]);
    let path = &plan.variant_of(session).path;
    let model = of_model(path, &described.model, &described.sha256, &plan.inputs)?;
    let library = stamp(spec.runtime.path());
    let operators: Vec<Stamp> = spec.options.custom_ops.iter().map(|file| stamp(file)).collect();
    let is_tuned = plan.tuning.is_some();
    let way = digest(&format!(
        "{:?}",
        (&plan.shapes, library, operators, &spec.execution_provider, &spec.provider, &spec.options, is_tuned)
    ))?;
    Some(Cache::locate().ok()?.probes().join(format!("{model}-{way}.json")))
}

/// The newest file for a model with these inputs, whatever the library and options.
pub(super) fn newest(path: &Path, model: &ModelSummary, sha256: &str, inputs: &InputRequest) -> Option<PathBuf> {
    let name = of_model(path, model, sha256, inputs)?;
    let files = fs::read_dir(Cache::locate().ok()?.probes()).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let is_of_model = |file: &PathBuf| {
        file.file_name().and_then(|file| file.to_str()).is_some_and(|file| file.starts_with(&format!("{name}-")))
    };
    files.filter(is_of_model).max_by_key(|file| fs::metadata(file).and_then(|file| file.modified()).ok())
}

fn of_model(path: &Path, model: &ModelSummary, sha256: &str, inputs: &InputRequest) -> Option<String> {
    let external: Vec<Stamp> = model.external_files.keys().map(|file| stamp(file)).collect();
    let data: Vec<Stamp> = inputs.data.iter().chain(&inputs.labels).map(|file| stamp(file)).collect();
    // Another seed makes other values up of the same kind.
    let inputs = InputRequest { seed: 0, ..inputs.clone() };
    digest(&format!("{:?}", (env!("CARGO_PKG_VERSION"), sha256, external, beside(path), inputs, data)))
}

/// A file with its size and the time when it was written, as far as there is one.
type Stamp = (PathBuf, Option<(u64, Option<SystemTime>)>);

fn stamp(path: &Path) -> Stamp {
    let found = fs::metadata(path).ok().map(|file| (file.len(), file.modified().ok()));
    (path.to_owned(), found)
}

/// What lies beside a model, in its folder and the one above.
fn beside(model: &Path) -> Vec<Stamp> {
    let folders = model.ancestors().skip(1).take(2);
    folders.flat_map(|folder| BESIDE.iter().map(|name| stamp(&folder.join(name)))).collect()
}

fn digest(text: &str) -> Option<String> {
    let digest = crate::hash::copy(&mut text.as_bytes(), &mut std::io::sink()).ok()?;
    Some(digest[..16].to_owned())
}
