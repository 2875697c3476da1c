//! Which stored tensors count as weights, and which files hold them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{ExternalRange, Graph, Model, OnnxError, StoredTensor};
use crate::plan::ElementType;
use crate::record::WeightBytes;
use crate::units::Bytes;

/// A tensor made by a `Constant` node counts as a weight from this many elements on: smaller ones
/// are shapes, axes and scalars. (Files of IR version 3 and tests of the standard keep all their
/// weights in such nodes.)
const CONSTANT_WEIGHT_ELEMENTS: u64 = 64;

/// Every stored tensor that counts as a weight, those of inner graphs included.
pub(super) fn stored(graph: &Graph) -> Vec<StoredTensor> {
    let mut weights = Vec::new();
    for graph in graph.all_graphs() {
        weights.extend(graph.initializers.iter().cloned());
        let constants = graph.nodes.iter().filter_map(|node| node.constant());
        weights.extend(constants.filter(|tensor| tensor.elements() >= CONSTANT_WEIGHT_ELEMENTS));
    }
    weights
}

/// Weights by element type, the largest share of bytes first.
pub(super) fn by_type(graph: &Graph) -> Vec<WeightBytes> {
    let mut totals: BTreeMap<ElementType, (u64, u64)> = BTreeMap::new();
    for weight in stored(graph) {
        let (elements, bytes) = totals.entry(weight.element_type).or_default();
        *elements = elements.saturating_add(weight.elements());
        *bytes = bytes.saturating_add(weight.bytes());
    }
    let mut rows: Vec<WeightBytes> = totals
        .into_iter()
        .map(|(element_type, (elements_count, bytes))| WeightBytes {
            element_type,
            elements_count,
            bytes: Bytes(bytes),
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.bytes));
    rows
}

/// The files that hold the model's weights outside its own, with their sizes.
pub(super) fn external_files(model: &Model) -> Result<BTreeMap<PathBuf, Bytes>, OnnxError> {
    let folder = model.path.parent().unwrap_or(Path::new(""));
    let mut files = BTreeMap::new();
    for weight in stored(&model.graph) {
        let Some(range) = &weight.external else {
            continue;
        };
        let file = folder.join(&range.location);
        let found = files
            .get(&file)
            .map_or_else(|| size(&file), |&size| Ok(size));
        let (path, end) = (model.path.clone(), end(&weight, range));
        match found {
            Ok(Bytes(size_bytes)) if end > size_bytes => {
                return Err(OnnxError::ExternalShort {
                    path,
                    weight: weight.name,
                    file,
                    end,
                    size_bytes,
                });
            }
            Ok(size) => drop(files.insert(file, size)),
            Err(source) => {
                return Err(OnnxError::ExternalFile {
                    path,
                    weight: weight.name,
                    file,
                    source,
                });
            }
        }
    }
    Ok(files)
}

fn size(file: &Path) -> io::Result<Bytes> {
    let found = std::fs::metadata(file)?;
    match found.is_file() {
        true => Ok(Bytes(found.len())),
        false => Err(io::Error::other("not a file")),
    }
}

/// Where a weight ends.
fn end(weight: &StoredTensor, range: &ExternalRange) -> u64 {
    let length = range.length.unwrap_or_else(|| weight.bytes());
    range.offset.saturating_add(length)
}
