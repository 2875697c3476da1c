//! Sizes that a model's metadata, and the files that are usually kept beside a model, tell.
//!
//! Files are small, regular ones in the model's folder and the one above; what cannot be read is told and left out.

use std::io;
use std::path::Path;

use serde_json::Value;

use crate::files::{self, Kind};
use crate::onnx::Model;
use crate::record::SizeSource;

/// Files that are read, and those of Triton.
const FILES: [&str; 4] = ["config.json", "preprocessor_config.json", "tokenizer_config.json", "genai_config.json"];
const TRITON: &str = "config.pbtxt";
/// Largest size that is believed: tokenizers write 10^30 where there is no limit.
const SANE: u64 = 1 << 24;

/// What a file or the metadata tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// What the size is of.
    pub about: About,
    /// The size.
    pub size: u64,
    /// Where it stands.
    pub source: SizeSource,
}

/// What a size is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Rows of an image.
    Height,
    /// Columns of an image.
    Width,
    /// Colours of an image.
    Channels,
    /// The most tokens of a text.
    MostTokens,
    /// Samples of a second of sound.
    Audio,
    /// Frames of a spectrum.
    Frames,
    /// Features of each frame or token.
    Features,
    /// Heads of attention.
    Heads,
    /// An axis of an input of this name.
    Axis(String, usize),
}

/// What is told, and remarks on files that cannot be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Beside {
    /// Sizes, those that are to be believed first.
    pub entries: Vec<Entry>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// A key of a JSON file, with dots between its levels, and what its number is.
const KEYS: [(&str, &str, About); 22] = [
    ("preprocessor_config.json", "crop_size.height", About::Height),
    ("preprocessor_config.json", "crop_size.width", About::Width),
    ("preprocessor_config.json", "size.height", About::Height),
    ("preprocessor_config.json", "size.width", About::Width),
    ("preprocessor_config.json", "sampling_rate", About::Audio),
    ("preprocessor_config.json", "nb_max_frames", About::Frames),
    ("preprocessor_config.json", "feature_size", About::Features),
    ("config.json", "num_channels", About::Channels),
    ("config.json", "max_position_embeddings", About::MostTokens),
    ("config.json", "n_positions", About::MostTokens),
    ("config.json", "text_config.max_position_embeddings", About::MostTokens),
    ("config.json", "num_mel_bins", About::Features),
    ("config.json", "hidden_size", About::Features),
    ("config.json", "d_model", About::Features),
    ("config.json", "num_key_value_heads", About::Heads),
    ("config.json", "num_attention_heads", About::Heads),
    ("config.json", "n_head", About::Heads),
    ("config.json", "decoder_attention_heads", About::Heads),
    ("tokenizer_config.json", "model_max_length", About::MostTokens),
    ("genai_config.json", "model.context_length", About::MostTokens),
    ("genai_config.json", "model.decoder.num_key_value_heads", About::Heads),
    ("genai_config.json", "model.decoder.num_attention_heads", About::Heads),
];
/// Keys of one size for both sides of an image, or of two.
const SIDES: [(&str, &str); 7] = [
    ("preprocessor_config.json", "crop_size"),
    ("preprocessor_config.json", "size"),
    ("preprocessor_config.json", "crop_size.shortest_edge"),
    ("preprocessor_config.json", "size.shortest_edge"),
    ("config.json", "image_size"),
    ("config.json", "vision_config.image_size"),
    ("config.json", "input_size"),
];
/// Keys of the metadata for the sides of an image.
const METADATA_SIDES: [&str; 4] = ["imgsz", "image_size", "input_size", "img_size"];

/// What is told of the sizes of `model`.
pub(super) fn beside(model: &Model) -> Beside {
    let mut found = Beside::default();
    for key in METADATA_SIDES {
        if let Some(text) = model.metadata.get(key) {
            let source = SizeSource::Metadata { key: key.to_owned() };
            found.sides(&numbers(text), &source);
        }
    }
    let folder = model.path.parent().map(Path::to_owned).unwrap_or_default();
    let folders = [Some(folder.as_path()), folder.parent()];
    for folder in folders.into_iter().flatten() {
        for name in FILES {
            found.json(&folder.join(name), name);
        }
        if let Some(text) = found.text(&folder.join(TRITON)) {
            found.triton(&text);
        }
    }
    found.entries.retain(|entry| (1..SANE).contains(&entry.size));
    found
}

impl Beside {
    fn sides(&mut self, sides: &[u64], source: &SizeSource) {
        let (height, width) = match *sides {
            [side] => (side, side),
            [height, width] => (height, width),
            _ => return,
        };
        for (about, size) in [(About::Height, height), (About::Width, width)] {
            self.entries.push(Entry { about, size, source: source.clone() });
        }
    }

    /// The text of a small regular file; `None` where there is none.
    fn text(&mut self, path: &Path) -> Option<String> {
        if !path.is_file() {
            return None;
        }
        match files::text(path, Kind::CONFIGURATION) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                self.notes.push(format!("`{}` is too large for a configuration and is not read", path.display()));
                None
            }
            Err(_) => {
                self.notes.push(format!("`{}` cannot be read and is left out", path.display()));
                None
            }
        }
    }

    fn json(&mut self, path: &Path, name: &str) {
        let Some(text) = self.text(path) else { return };
        let Ok(value) = serde_json::from_str::<Value>(&text) else {
            self.notes.push(format!("`{}` is no JSON and is left out", path.display()));
            return;
        };
        let source = |key: &str| SizeSource::File { entry: format!("{name}: {key}") };
        for (_, key) in SIDES.iter().filter(|(file, _)| *file == name) {
            self.sides(&at(&value, key).map(sizes).unwrap_or_default(), &source(key));
        }
        for (_, key, about) in KEYS.iter().filter(|(file, ..)| *file == name) {
            let size = at(&value, key).map(sizes).and_then(|sizes| sizes.first().copied());
            self.entries.extend(size.map(|size| Entry { about: about.clone(), size, source: source(key) }));
        }
    }

    /// Sizes of inputs by Triton's configuration, in which the batch is left out where there is one.
    fn triton(&mut self, text: &str) {
        let after = |text: &str, mark: &str| text.split_once(mark).map(|(_, rest)| rest.to_owned());
        let batch = after(text, "max_batch_size:").and_then(|rest| numbers(rest.lines().next()?).first().copied());
        let first = usize::from(batch.is_some_and(|batch| batch > 0));
        let Some(inputs) = after(text, "input") else { return };
        for part in inputs.split("name:").skip(1) {
            let quoted = part.split('"').nth(1);
            let dims =
                after(part, "dims:").and_then(|rest| Some(rest.split_once('[')?.1.split_once(']')?.0.to_owned()));
            let (Some(name), Some(dims)) = (quoted, dims) else { continue };
            for (place, size) in dims.split(',').enumerate() {
                let source = SizeSource::File { entry: format!("{TRITON}: dims of {name}") };
                let about = About::Axis(name.to_owned(), first + place);
                self.entries.extend(size.trim().parse().ok().map(|size| Entry { about, size, source }));
            }
        }
    }
}

/// The value at a key with dots between its levels.
fn at<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    key.split('.').try_fold(value, |value, level| value.get(level))
}

/// A number, or a few.
fn sizes(value: &Value) -> Vec<u64> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_u64).collect(),
        value => value.as_u64().into_iter().collect(),
    }
}

/// The whole numbers in a text such as `[640, 640]`.
fn numbers(text: &str) -> Vec<u64> {
    let words = text.split(|letter: char| !letter.is_ascii_digit());
    words.filter(|word| !word.is_empty()).filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn entry(about: About, size: u64, entry: &str) -> Entry {
        Entry { about, size, source: SizeSource::File { entry: entry.to_owned() } }
    }

    #[test]
    fn sizes_of_images_are_read_in_their_forms() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("preprocessor_config.json");
        for text in [r#"{"size": {"height": 96, "width": 64}}"#, r#"{"size": [96, 64]}"#] {
            fs::write(&path, text).unwrap();
            let mut found = Beside::default();
            found.json(&path, "preprocessor_config.json");
            let sizes: Vec<u64> = found.entries.iter().map(|entry| entry.size).collect();
            assert_eq!(sizes, [96, 64], "{text}");
        }
        fs::write(&path, r#"{"size": {"shortest_edge": 48}}"#).unwrap();
        let mut found = Beside::default();
        found.json(&path, "preprocessor_config.json");
        let key = "preprocessor_config.json: size.shortest_edge";
        assert_eq!(found.entries, [entry(About::Height, 48, key), entry(About::Width, 48, key)]);
    }

    #[test]
    fn what_is_no_configuration_is_told_and_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, "{").unwrap();
        let mut found = Beside::default();
        found.json(&path, "config.json");
        assert!(
            found.entries.is_empty() && found.notes[0].ends_with("is no JSON and is left out"),
            "{:?}",
            found.notes
        );
        fs::write(&path, vec![b' '; Kind::CONFIGURATION.most.0 as usize + 1]).unwrap();
        found.json(&path, "config.json");
        assert!(found.notes[1].contains("too large"));
        found.json(folder.path(), "config.json");
        assert_eq!(found.notes.len(), 2);
    }

    #[test]
    fn a_repository_of_triton_names_inputs_without_the_batch() {
        let text = "name: \"m\"\nmax_batch_size: 8\ninput [ { name: \"x\" data_type: TYPE_FP32 dims: [ 3, -1, 48 ] } ]";
        let mut found = Beside::default();
        found.triton(text);
        let key = "config.pbtxt: dims of x";
        let axis = |axis| About::Axis("x".to_owned(), axis);
        assert_eq!(found.entries, [entry(axis(1), 3, key), entry(axis(3), 48, key)]);
    }
}
