//! Labels in a file of their own.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Labels;
use super::json::json;
use super::names::{NAMES, likeliest};
use super::table::table;
use super::words::lines;
use crate::files::{self, Kind};
use crate::inputs::error::ask;
use crate::inputs::npy::{Archive, Head};
use crate::inputs::{InputError, Result};

const ENDINGS: [&str; 5] = ["npy", "csv", "tsv", "txt", "json"];
/// Copies of a text that are in memory at once.
const COPIES: u64 = 4;
/// Memory of a line of a list beside its bytes: a place in the text, and a number or a text of its
/// own.
const LINE: u64 = 96;
/// Memory of a field of a table or an item of JSON: before that, it is a text or a value of its
/// own, in another list.
const FIELD: u64 = 192;
/// The files beside `data` that are named as labels are, the likeliest first.
pub(in super::super) fn beside(data: &Path) -> Vec<PathBuf> {
    data.is_dir()
        .then_some(data)
        .or(data.parent())
        .into_iter()
        .flat_map(usual_files)
        .filter(|file| file.is_file() && file != data)
        .collect()
}

fn usual_files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    NAMES
        .iter()
        .flat_map(move |name| ENDINGS.map(|ending| folder.join(format!("{name}.{ending}"))))
}

/// Whether a file has a row for each sample, or one more above those of a text: then it was made
/// for their labels.
pub(in super::super) fn has_row_for_each(path: &Path, samples: usize) -> bool {
    if ending(path) == "npy" {
        return Archive::npy(path)
            .is_ok_and(|archive| archive.arrays[0].shape.first() == Some(&samples));
    }
    let Ok(text) = text(path, of_fields) else {
        return false;
    };
    if ending(path) == "json"
        && let Ok(value) = serde_json::from_str::<Value>(&text)
    {
        return has_entry_for_each(&value, samples);
    }
    has_line_for_each(&text, samples)
}

fn has_line_for_each(text: &str, samples: usize) -> bool {
    let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
    lines == samples || lines == samples + 1
}

fn has_entry_for_each(value: &Value, samples: usize) -> bool {
    match value {
        Value::Object(entries) => {
            (entries.len() == samples && samples > 1)
                || entries.values().any(|value| is_list_of(value, samples))
        }
        other => is_list_of(other, samples),
    }
}

fn is_list_of(value: &Value, length: usize) -> bool {
    matches!(value, Value::Array(items) if items.len() == length)
}

fn ending(path: &Path) -> String {
    path.extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default()
        .to_ascii_lowercase()
}

pub(in super::super) fn read(path: &Path, samples: usize) -> Result<Labels> {
    let fault = |reason: String| InputError::LabelFile(path.to_owned(), reason);
    match ending(path).as_str() {
        "npz" | "npy" => numpy(path),
        "csv" | "tsv" => table(&text(path, of_fields)?, samples).map_err(fault),
        "txt" => lines(&text(path, of_lines)?, samples).map_err(fault),
        "json" => json(&text(path, of_fields)?).map_err(fault),
        _ => Err(fault(
            "its name ends in none of .npy, .npz, .csv, .tsv, .txt and .json".to_owned(),
        )),
    }
}

fn numpy(path: &Path) -> Result<Labels> {
    if ending(path) == "npy" {
        let archive = Archive::npy(path)?;
        return archive.array(&archive.arrays[0]).map(Labels::stored);
    }
    let archive = Archive::npz(path)?;
    match labels_among(&archive) {
        Some(head) => archive.array(head).map(Labels::stored),
        None => Err(InputError::MissingArrays {
            path: path.to_owned(),
            missing: vec![NAMES[0].to_owned()],
            present: archive.names(),
        }),
    }
}

/// The array that is named as labels are, or else the only one.
fn labels_among(archive: &Archive) -> Option<&Head> {
    likeliest(&archive.arrays, |head| &head.name)
        .or(archive.arrays.first().filter(|_| archive.arrays.len() == 1))
}

/// The text of a file whose labels take beside it what `of_labels` says; a pipe's length shows only
/// once it is read.
fn text(path: &Path, of_labels: fn(&[u8]) -> u64) -> Result<String> {
    let file = files::open(path, Kind::LABELS).map_err(InputError::read(path))?;
    ask(path, COPIES * file.len(), "its labels")?;
    let bytes = file.bytes().map_err(InputError::read(path))?;
    ask(
        path,
        COPIES * bytes.len() as u64 + of_labels(&bytes),
        "its labels",
    )?;
    Ok(String::from_utf8_lossy(&bytes)
        .trim_start_matches('\u{feff}')
        .to_owned())
}

fn of_lines(text: &[u8]) -> u64 {
    LINE * text.iter().filter(|&&byte| byte == b'\n').count() as u64
}

fn of_fields(text: &[u8]) -> u64 {
    FIELD
        * text
            .iter()
            .filter(|byte| b"\n,;\t[{".contains(byte))
            .count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_take_what_they_become() {
        assert_eq!((of_lines(b"a\nb\n"), of_lines(b"1, 2")), (2 * LINE, 0));
        assert_eq!(
            (
                of_fields(b"a,b\n1;2\n"),
                of_fields(br#"{"y": [[0, 1], [1, 0]]}"#)
            ),
            (4 * FIELD, 7 * FIELD)
        );
    }

    #[test]
    fn a_file_with_a_row_for_each_sample_was_made_for_labels() {
        let folder = tempfile::tempdir().unwrap();
        let has = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            has_row_for_each(&path, 2)
        };
        assert!(
            has("a.csv", "a,b\n\na,b\n")
                && has("a.tsv", "h\tk\n1\t2\n3\t4\n")
                && !has("b.csv", "a,b\n")
        );
        assert!(has("a.json", r#"[null, {}]"#) && has("b.json", r#"{"1.png": {}, "2.png": {}}"#));
        assert!(
            has("c.json", r#"{"info": 1, "a": [{}, {}], "c": 3}"#) && has("d.json", "{}\n{}\n")
        );
        assert!(
            !has("e.json", r#"{"names": {"0": "a"}}"#)
                && !has("f.json", "[1]")
                && !has("a.npy", "no array")
        );
    }
}
