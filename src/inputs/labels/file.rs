//! Labels in a file of their own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ndarray::{Array1, ArrayD, IxDyn};
use serde_json::Value;

use super::Labels;
use crate::files::{self, Kind};
use crate::inputs::npy::Archive;
use crate::inputs::{InputError, TensorData};
use crate::memory;
use crate::units::Bytes;

const ENDINGS: [&str; 5] = ["npy", "csv", "tsv", "txt", "json"];
/// Copies of a text that are in memory at once.
const COPIES: u64 = 4;
/// Memory of a line of a list beside its bytes: a place in the text, and a number or a text of its own.
const LINE: u64 = 96;
/// Memory of a field of a table or an item of JSON: before that, it is a text or a value of its own, in another list.
const FIELD: u64 = 192;
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// Names under which labels are kept, the likeliest first.
const NAMES: [&str; 9] = [
    "labels", "label", "y", "targets", "target", "y_true", "classes", "class", "y_test",
];

/// Place of a name among [`NAMES`]; absent for any other name.
pub(in crate::inputs) fn place(name: &str) -> Option<usize> {
    NAMES
        .iter()
        .position(|known| name.eq_ignore_ascii_case(known))
}

/// The files beside `data` that are named as labels are, the likeliest first.
pub(in super::super) fn beside(data: &Path) -> Vec<PathBuf> {
    let folder = if data.is_dir() {
        Some(data)
    } else {
        data.parent()
    };
    let Some(folder) = folder else {
        return Vec::new();
    };
    let files = NAMES
        .iter()
        .flat_map(|name| ENDINGS.map(|ending| folder.join(format!("{name}.{ending}"))));
    files
        .filter(|file| file.is_file() && file != data)
        .collect()
}

/// Whether a file has a row for each sample, or one more above those of a text: then it was made for their labels.
pub(in super::super) fn has_row_for_each(path: &Path, samples: usize) -> bool {
    if ending(path) == "npy" {
        return Archive::npy(path)
            .is_ok_and(|archive| archive.arrays[0].shape.first() == Some(&samples));
    }
    let Ok(text) = text(path, of_fields) else {
        return false;
    };
    if let (true, Ok(value)) = (ending(path) == "json", serde_json::from_str::<Value>(&text)) {
        return has_entry_for_each(&value, samples);
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
    lines == samples || lines == samples + 1
}

fn has_entry_for_each(value: &Value, samples: usize) -> bool {
    let is_list = |value: &Value| matches!(value, Value::Array(items) if items.len() == samples);
    match value {
        Value::Object(entries) if entries.len() == samples && samples > 1 => true,
        Value::Object(entries) => entries.values().any(is_list),
        other => is_list(other),
    }
}

fn ending(path: &Path) -> String {
    path.extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default()
        .to_ascii_lowercase()
}

pub(in super::super) fn read(path: &Path, samples: usize) -> Result<Labels, InputError> {
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

fn numpy(path: &Path) -> Result<Labels, InputError> {
    if ending(path) == "npy" {
        let archive = Archive::npy(path)?;
        return archive.array(&archive.arrays[0]).map(Labels::stored);
    }
    let archive = Archive::npz(path)?;
    let named = archive
        .arrays
        .iter()
        .filter(|head| place(&head.name).is_some());
    let only = archive.arrays.first().filter(|_| archive.arrays.len() == 1);
    match named.min_by_key(|head| place(&head.name)).or(only) {
        Some(head) => archive.array(head).map(Labels::stored),
        None => Err(InputError::MissingArrays {
            path: path.to_owned(),
            missing: vec![NAMES[0].to_owned()],
            present: archive
                .arrays
                .iter()
                .map(|head| head.name.clone())
                .collect(),
        }),
    }
}

/// The text of a file whose labels take beside it what `of_labels` says; a pipe's length shows only once it is read.
fn text(path: &Path, of_labels: fn(&[u8]) -> u64) -> Result<String, InputError> {
    let read = |source| InputError::Read(path.to_owned(), source);
    let ask = |length: u64, labels: u64| {
        memory::ask(Bytes(COPIES * length + labels), || "its labels".to_owned())
            .map_err(|reason| InputError::Memory(path.to_owned(), reason))
    };
    let file = files::open(path, Kind::LABELS).map_err(read)?;
    ask(file.len(), 0)?;
    let bytes = file.bytes().map_err(read)?;
    ask(bytes.len() as u64, of_labels(&bytes))?;
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

/// One label on each line, with or without a line above them.
fn lines(text: &str, samples: usize) -> Result<Labels, String> {
    let mut words: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if words.len() == samples + 1 {
        words.remove(0);
    }
    column(&words)
}

/// The column of labels of a table: the only one, or the one that is named as labels are, or all of them where they are
/// numbers, or the last where it holds classes beside the names of rows.
fn table(text: &str, samples: usize) -> Result<Labels, String> {
    let mut rows = rows(text)?;
    let first = rows[0].clone();
    let named = (0..first.len())
        .filter(|&at| place(&first[at]).is_some())
        .min_by_key(|&at| place(&first[at]));
    let is_headed = named.is_some() || rows.len() == samples + 1;
    if is_headed {
        rows.remove(0);
    }
    let of = |at: usize| -> Vec<&str> { rows.iter().map(|row| row[at].as_str()).collect() };
    if let Some(at) = named.or((first.len() == 1).then_some(0)) {
        return column(&of(at));
    }
    if let Some(labels) = all_columns(&rows) {
        return Ok(labels);
    }
    let last = first.len() - 1;
    if !ends_in_classes(&rows) {
        let header = if is_headed {
            first.join(", ")
        } else {
            format!("{} columns", first.len())
        };
        return Err(format!(
            "it has {header}, and none of them is called {}",
            NAMES[..3].join(", ")
        ));
    }
    let name = if is_headed {
        format!("column `{}`", first[last])
    } else {
        "last column".to_owned()
    };
    let mut labels = column(&of(last))?;
    labels.guessed = Some(name);
    Ok(labels)
}

/// The rows of a table, at least one, with as many fields each.
fn rows(text: &str) -> Result<Vec<Vec<String>>, String> {
    let rows: Vec<Vec<String>> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(fields)
        .collect();
    let Some(first) = rows.first() else {
        return Err("it is empty".to_owned());
    };
    match rows.iter().position(|row| row.len() != first.len()) {
        Some(odd) => Err(format!(
            "its rows have unlike numbers of fields, the {}th {}",
            odd + 1,
            rows[odd].len()
        )),
        None => Ok(rows),
    }
}

/// Whether the last column holds classes: they recur, and those before it name each row.
fn ends_in_classes(rows: &[Vec<String>]) -> bool {
    let distinct = |at: usize| {
        rows.iter()
            .map(|row| &row[at])
            .collect::<BTreeSet<_>>()
            .len()
    };
    let Some(last) = rows.first().and_then(|row| row.len().checked_sub(1)) else {
        return false;
    };
    let is_full = rows.iter().all(|row| !row[last].is_empty());
    is_full
        && last > 0
        && distinct(last) < rows.len()
        && (0..last).all(|at| distinct(at) == rows.len())
}

fn all_columns(rows: &[Vec<String>]) -> Option<Labels> {
    let numbers: Option<Vec<f64>> = rows
        .iter()
        .flatten()
        .map(|field| field.trim().parse().ok())
        .collect();
    let shape = [rows.len(), rows.first()?.len()];
    ArrayD::from_shape_vec(IxDyn(&shape), numbers?)
        .ok()
        .map(|numbers| Labels::new(TensorData::Double(numbers)))
}

fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    for letter in line.trim_end_matches('\r').chars() {
        match letter {
            '"' => quoted = !quoted,
            letter if !quoted && SEPARATORS.contains(&letter) => fields.push(String::new()),
            letter => {
                if let Some(field) = fields.last_mut() {
                    field.push(letter);
                }
            }
        }
    }
    fields
        .into_iter()
        .map(|field| field.trim().to_owned())
        .collect()
}

/// Whole numbers, numbers or words: the first that all of them are.
fn column(words: &[&str]) -> Result<Labels, String> {
    if words.is_empty() {
        return Err("it is empty".to_owned());
    }
    let whole: Result<Vec<i64>, _> = words.iter().map(|word| word.parse()).collect();
    let numbers = || {
        words
            .iter()
            .map(|word| word.parse())
            .collect::<Result<Vec<f64>, _>>()
    };
    Ok(Labels::new(match (whole, numbers()) {
        (Ok(whole), _) => TensorData::Int64(Array1::from(whole).into_dyn()),
        (_, Ok(numbers)) => TensorData::Double(Array1::from(numbers).into_dyn()),
        _ => TensorData::String(
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Array1<_>>()
                .into_dyn(),
        ),
    }))
}

/// A list, or the list in an object whose name is one of labels.
fn json(text: &str) -> Result<Labels, String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let list = match &value {
        Value::Object(entries) => {
            let named = entries.iter().filter(|(name, _)| place(name).is_some());
            named
                .min_by_key(|(name, _)| place(name))
                .map(|(_, list)| list)
        }
        other => Some(other),
    };
    let Some(Value::Array(items)) = list else {
        return Err("it holds no list of labels".to_owned());
    };
    if let Some(words) = items.iter().map(Value::as_str).collect::<Option<Vec<_>>>() {
        return column(&words);
    }
    let (mut shape, mut numbers) = (Vec::new(), Vec::new());
    nested(items, 0, &mut shape, &mut numbers)?;
    let is_whole = numbers.iter().all(|number: &f64| number.fract() == 0.0);
    let made =
        ArrayD::from_shape_vec(shape, numbers).map_err(|_| "its lists are of unlike lengths")?;
    let whole = || TensorData::Int64(made.mapv(|number| number as i64));
    Ok(Labels::new(if is_whole {
        whole()
    } else {
        TensorData::Double(made)
    }))
}

fn nested(
    items: &[Value],
    depth: usize,
    shape: &mut Vec<usize>,
    numbers: &mut Vec<f64>,
) -> Result<(), String> {
    if shape.len() == depth {
        shape.push(items.len());
    }
    if shape[depth] != items.len() {
        return Err("its lists are of unlike lengths".to_owned());
    }
    for item in items {
        match item {
            Value::Array(inner) => nested(inner, depth + 1, shape, numbers)?,
            Value::Bool(bit) => numbers.push(f64::from(u8::from(*bit))),
            Value::Number(number) => numbers.extend(number.as_f64()),
            other => return Err(format!("`{other}` is no label")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(labels: Result<Labels, String>) -> Vec<String> {
        labels.unwrap().words().unwrap()
    }

    fn numbers(labels: Result<Labels, String>) -> (Vec<usize>, Vec<f64>) {
        let labels = labels.unwrap();
        (
            labels.shape().to_vec(),
            labels.numbers().unwrap().into_iter().collect(),
        )
    }

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
    fn lines_are_words_or_numbers() {
        assert_eq!(
            words(lines("cat\n dog \n\ncat\n", 3)),
            ["cat", "dog", "cat"]
        );
        assert_eq!(
            words(lines("animal\ncat\ndog\n", 2)),
            ["cat", "dog"],
            "one more than samples is a header"
        );
        assert_eq!(numbers(lines("3\r\n1\r\n", 2)), (vec![2], vec![3.0, 1.0]));
        assert_eq!(numbers(lines("3.5\n1\n", 2)).1, [3.5, 1.0]);
        assert!(lines("", 2).is_err());
    }

    /// Labels of a table, where nothing of them is guessed.
    fn plain(text: &str, samples: usize) -> Result<Labels, String> {
        table(text, samples).inspect(|labels| assert_eq!(labels.guessed, None))
    }

    #[test]
    fn the_column_of_labels_is_found_by_its_name() {
        assert_eq!(
            words(plain("id,Label\n7,\"a, b\"\n8,c\n", 2)),
            ["a, b", "c"]
        );
        assert_eq!(numbers(plain("y\n1\n0\n", 2)).1, [1.0, 0.0]);
        assert_eq!(
            numbers(plain("0;1\n1;0\n", 2)),
            (vec![2, 2], vec![0.0, 1.0, 1.0, 0.0])
        );
        assert_eq!(
            table("id,kind\n7,a\n", 1).unwrap_err(),
            "it has id, kind, and none of them is called labels, label, y"
        );
        assert!(
            table("1,2\n3\n", 2)
                .unwrap_err()
                .contains("unlike numbers of fields")
        );
    }

    #[test]
    fn classes_beside_names_of_rows_are_found_by_what_they_hold() {
        let headed = table("file,category\na.png,cat\nb.png,dog\nc.png,cat\n", 3).unwrap();
        assert_eq!(headed.guessed.as_deref(), Some("column `category`"));
        assert_eq!(words(Ok(headed)), ["cat", "dog", "cat"]);
        let bare = table("a.png\t1\nb.png\t1\n", 2).unwrap();
        assert_eq!(bare.guessed.as_deref(), Some("last column"));
        assert_eq!(numbers(Ok(bare)).1, [1.0, 1.0]);
        for unclear in [
            "train,cat\ntrain,dog\ntest,cat\n",
            "a,cat\nb,dog\nc,ant\n",
            "a,\nb,\nc,x\n",
        ] {
            assert!(
                table(unclear, 3).unwrap_err().contains("it has 2 columns"),
                "{unclear}"
            );
        }
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

    #[test]
    fn json_is_a_list_or_has_one() {
        assert_eq!(words(json(r#"["a", "b"]"#)), ["a", "b"]);
        assert_eq!(
            numbers(json(r#"{"n": 2, "target": [[0, 1], [1, 0]]}"#)).0,
            [2, 2]
        );
        assert_eq!(numbers(json("[true, 0.5]")).1, [1.0, 0.5]);
        assert!(
            json(r#"{"n": [1]}"#).is_err()
                && json("[[1], [1, 2]]").is_err()
                && json("[null]").is_err()
        );
    }
}
