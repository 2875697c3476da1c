//! Files that hold weights outside the model file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Model, OnnxError, weights};
use crate::units::Bytes;

/// The files that hold the model's weights outside its own, with their sizes.
pub(super) fn files(model: &Model) -> Result<BTreeMap<PathBuf, Bytes>, OnnxError> {
    let folder = model.path.parent().unwrap_or(Path::new(""));
    let mut files = BTreeMap::new();
    for weight in weights::stored(&model.graph) {
        let Some(range) = &weight.external else { continue };
        let file = folder.join(&range.location);
        let size_bytes = match files.get(&file) {
            Some(&Bytes(size)) => size,
            None => std::fs::metadata(&file)
                .and_then(|metadata| if metadata.is_file() { Ok(metadata.len()) } else { Err(not_a_file()) })
                .map_err(|source| OnnxError::ExternalFile {
                    path: model.path.clone(),
                    weight: weight.name.clone(),
                    file: file.clone(),
                    source,
                })?,
        };
        files.insert(file.clone(), Bytes(size_bytes));
        let end = range.offset.saturating_add(range.length.unwrap_or_else(|| weight.bytes()));
        if end > size_bytes {
            let (path, weight) = (model.path.clone(), weight.name.clone());
            return Err(OnnxError::ExternalShort { path, weight, file, end, size_bytes });
        }
    }
    Ok(files)
}

fn not_a_file() -> std::io::Error {
    std::io::Error::other("not a file")
}
