//! Whether data fits a model's inputs.

use std::collections::BTreeMap;
use std::path::Path;

use super::data::{Data, Set, Source};
use super::dims::{SampleAxis, dims_of};
use super::synthesize::fed_type;
use super::wanted::{Expected, Wanted};
use super::{InputError, Misfit};
use crate::plan::ElementType;
use crate::record::{Dim, FedInput, TensorInfo};

/// Checks types and shapes of all arrays. A type other than the input's is an error unless it is one that is cast.
pub(super) fn check(data: &Data, expected: &Expected<'_>) -> Result<(), InputError> {
    for set in &data.sets {
        let mut symbols = BTreeMap::new();
        for (info, source) in expected.inputs.iter().zip(&set.inputs) {
            let wanted = fed_type(info)?;
            let unfit = |misfit| InputError::Array(data.path.clone(), info.name.clone(), misfit);
            if !source.takes(wanted) {
                return Err(unfit(unlike_type(source, wanted)));
            }
            if source.no_tensor().is_none() && !expected.fits(info, source.shape(), &mut symbols) {
                let channels = Wanted::of(info, expected).channels(source.shape());
                let (found, expected) = (
                    format!("{:?}", source.shape()),
                    expected.describe(info, &symbols),
                );
                return Err(unfit(Misfit::Shape {
                    found,
                    expected,
                    channels,
                }));
            }
            source.probe()?;
        }
    }
    Ok(())
}

fn unlike_type(source: &Source, expected: ElementType) -> Misfit {
    let found = source.type_name();
    let is_number = source
        .element_type()
        .is_some_and(|found| found.is_integer() || found == ElementType::Bool);
    match expected {
        _ if source.is_objects() => Misfit::Objects(expected),
        expected if expected.is_float() && is_number => Misfit::WholeForFloat(found, expected),
        expected => Misfit::ElementType(found, expected),
    }
}

impl Expected<'_> {
    fn fits<'i>(
        &self,
        info: &'i TensorInfo,
        shape: &[usize],
        symbols: &mut BTreeMap<&'i str, u64>,
    ) -> bool {
        if matches!(info.value_type.as_tensor(), Some((_, None))) {
            return true;
        }
        let dims = dims_of(info);
        let size_fits = |(axis, (dim, &size)): (usize, (&'i Dim, &usize))| match dim {
            _ if self.is_batch(info, axis) => true,
            Dim::Fixed(fixed) => *fixed == size as u64,
            Dim::Symbolic(name) => {
                let bound = *symbols.entry(name).or_insert(size as u64);
                bound == size as u64
                    && self
                        .asked
                        .get(name)
                        .is_none_or(|&asked| asked == size as u64)
            }
            Dim::Unknown => self
                .asked
                .get(&format!("{}.{axis}", info.name))
                .is_none_or(|&asked| asked == size as u64),
        };
        dims.len() == shape.len() && dims.iter().zip(shape).enumerate().all(size_fits)
    }

    fn describe(&self, info: &TensorInfo, symbols: &BTreeMap<&str, u64>) -> String {
        let sizes = dims_of(info)
            .iter()
            .enumerate()
            .map(|(axis, dim)| match dim {
                Dim::Fixed(_) if self.is_batch(info, axis) => "any".to_owned(),
                Dim::Fixed(size) => size.to_string(),
                Dim::Symbolic(name) => {
                    match self.asked.get(name).or_else(|| symbols.get(name.as_str())) {
                        Some(size) if !self.is_batch(info, axis) => format!("{name}={size}"),
                        _ => name.clone(),
                    }
                }
                Dim::Unknown => "any".to_owned(),
            });
        format!("[{}]", sizes.collect::<Vec<_>>().join(", "))
    }
}

/// Number of samples in a set, along each input's batch axis; 1 for a model without one.
pub(super) fn samples(
    data: &Data,
    set: &Set,
    axes: &[SampleAxis<'_>],
) -> Result<usize, InputError> {
    let mut first: Option<(&str, usize)> = None;
    for (source, &SampleAxis { input, axis }) in set.inputs.iter().zip(axes) {
        let Some(count) = axis.and_then(|axis| source.shape().get(axis)).copied() else {
            continue;
        };
        let (other, expected) = *first.get_or_insert((input, count));
        if count != expected {
            let (path, input, other) = (data.path.clone(), input.to_owned(), other.to_owned());
            return Err(InputError::SampleCount {
                path,
                input,
                found: count as u64,
                other,
                expected: expected as u64,
            });
        }
    }
    match first {
        Some((_, 0)) => Err(InputError::NoSamples {
            path: data.path.clone(),
        }),
        Some((_, count)) => Ok(count),
        None => Ok(1),
    }
}

/// Checks that arrays still have as many dimensions as when the plan was made.
pub(super) fn check_ranks(path: &Path, set: &Set, fed: &[FedInput]) -> Result<(), InputError> {
    let changed = set
        .inputs
        .iter()
        .zip(fed)
        .find(|(source, fed)| source.shape().len() != fed.dims.len());
    changed.map_or(Ok(()), |(source, fed)| {
        let expected = format!("{} dimensions", fed.dims.len());
        let misfit = Misfit::Shape {
            found: format!("{:?}", source.shape()),
            expected,
            channels: None,
        };
        Err(InputError::Array(path.to_owned(), fed.name.clone(), misfit))
    })
}
