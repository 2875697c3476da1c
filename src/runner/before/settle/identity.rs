//! Under which name in the user's cache the result of trying a model out is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::inputs;
use crate::plan::{InputRequest, Plan, Shape};
use crate::protocol::{Described, UsualShapes};
use crate::record::ModelSummary;
use crate::runner::Job;
use crate::runner::kept::digest;
use crate::runtime::Cache;

/// Files beside a model that may say what to feed it.
const BESIDE: [&str; 5] = [
    "config.json",
    "preprocessor_config.json",
    "tokenizer_config.json",
    "genai_config.json",
    "config.pbtxt",
];

/// Inputs that are sought: as they were asked for, at these shapes, or at those that are usual
/// instead.
pub(super) struct Sought<'s> {
    pub inputs: &'s InputRequest,
    pub shapes: &'s [Shape],
    pub usual: UsualShapes,
}

pub(super) fn usual(plan: &Plan) -> UsualShapes {
    if plan.tuning.is_some() {
        UsualShapes::Left
    } else {
        UsualShapes::Taken
    }
}

/// Absent where there is no cache, and of a server. Names begin with the model and what is looked for: [`newest`]
/// knows no more.
pub(super) fn file(job: &Job, described: &Described, session: usize) -> Option<PathBuf> {
    let (plan, spec) = (&job.plan, &job.plan.sessions[session]);
    // What a server takes may be another thing tomorrow.
    if spec.is_remote() {
        return None;
    }
    let path = &plan.variant_of(session).path;
    let sought = Sought {
        inputs: &plan.inputs,
        shapes: &plan.shapes,
        usual: usual(plan),
    };
    let model = of_model(path, &described.model, &described.sha256, &sought)?;
    let operators: Vec<Stamp> = spec
        .options
        .custom_ops
        .iter()
        .map(|file| stamp(file))
        .collect();
    let way = digest(&(
        stamp(spec.runtime.path()),
        operators,
        &spec.execution_provider,
        &spec.provider,
        &spec.options,
    ))?;
    Some(
        Cache::locate()
            .ok()?
            .probes()
            .join(format!("{model}-{way}.json")),
    )
}

/// The newest file for a model and what is sought, whatever the library and options.
pub(super) fn newest(
    path: &Path,
    model: &ModelSummary,
    sha256: &str,
    sought: &Sought<'_>,
) -> Option<PathBuf> {
    let name = of_model(path, model, sha256, sought)?;
    let files = fs::read_dir(Cache::locate().ok()?.probes())
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    let prefix = format!("{name}-");
    files
        .filter(|file| begins_with(file, &prefix))
        .max_by_key(|file| fs::metadata(file).and_then(|file| file.modified()).ok())
}

fn begins_with(file: &Path, prefix: &str) -> bool {
    let name = file.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with(prefix))
}

fn of_model(
    path: &Path,
    model: &ModelSummary,
    sha256: &str,
    sought: &Sought<'_>,
) -> Option<String> {
    let external: Vec<Stamp> = model
        .external_files
        .keys()
        .map(|file| stamp(file))
        .collect();
    digest(&(
        env!("CARGO_PKG_VERSION"),
        sha256,
        external,
        beside(path),
        of_inputs(sought)?,
    ))
}

/// The search with the files of its data; `None` where those are too many to be looked at.
fn of_inputs(sought: &Sought<'_>) -> Option<String> {
    let data = match &sought.inputs.data {
        Some(data) => inputs::files_of(data)?,
        None => Vec::new(),
    };
    let files: Vec<Stamp> = data
        .iter()
        .chain(&sought.inputs.labels)
        .map(|file| stamp(file))
        .collect();
    // Another seed makes other values up of the same kind.
    let inputs = InputRequest {
        seed: 0,
        ..sought.inputs.clone()
    };
    Some(format!(
        "{:?}",
        (inputs, sought.shapes, sought.usual, files)
    ))
}

type Stamp = (PathBuf, Option<(u64, Option<SystemTime>)>);

fn stamp(path: &Path) -> Stamp {
    (
        path.to_owned(),
        fs::metadata(path)
            .ok()
            .map(|file| (file.len(), file.modified().ok())),
    )
}

fn beside(model: &Path) -> Vec<Stamp> {
    model
        .ancestors()
        .skip(1)
        .take(2)
        .flat_map(|folder| BESIDE.iter().map(|name| stamp(&folder.join(name))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::unswept;

    fn plain<'s>(inputs: &'s InputRequest, shapes: &'s [Shape]) -> Sought<'s> {
        Sought {
            inputs,
            shapes,
            usual: UsualShapes::Taken,
        }
    }

    #[test]
    fn swept_and_tuned_shapes_are_sought_apart_from_plain_ones() {
        let inputs = InputRequest::default();
        let seeded = InputRequest {
            seed: 7,
            ..InputRequest::default()
        };
        let shapes = unswept();
        let mut swept = unswept();
        swept[0].dims.insert("seq".to_owned().into(), 16);
        let name = |sought: &Sought<'_>| of_inputs(sought).unwrap();
        assert_eq!(
            name(&plain(&inputs, &shapes)),
            name(&plain(&seeded, &shapes))
        );
        assert_ne!(
            name(&plain(&inputs, &shapes)),
            name(&plain(&inputs, &swept))
        );
        let tuned = Sought {
            usual: UsualShapes::Left,
            ..plain(&inputs, &shapes)
        };
        assert_ne!(name(&plain(&inputs, &shapes)), name(&tuned));
    }

    #[test]
    fn data_that_is_written_anew_in_its_place_is_other_data() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let inputs = InputRequest {
            data: Some(folder.path().to_owned()),
            ..InputRequest::default()
        };
        let shapes = unswept();
        let name = || of_inputs(&plain(&inputs, &shapes)).unwrap();
        write("test_data_set_0/input_0.pb", "one");
        let first = name();
        write("notes.txt", "no data");
        assert_eq!(name(), first);
        write("test_data_set_0/input_0.pb", "other");
        let second = name();
        assert_ne!(second, first);
        write("labels.csv", "0");
        assert_ne!(name(), second);
    }
}
