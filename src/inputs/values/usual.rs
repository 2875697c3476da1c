//! Values by an input's name, bound and type.

use super::operators::IndexBound;
use super::{ElementType, Fill, FillKind, Question, TensorInfo, dims_of, limits};
use crate::plan::ValueRange;
use crate::record::Dim;

/// Range of floating-point values, valid for images, probabilities, logarithms and roots alike, and
/// of integers that nothing is known of, valid in any vocabulary.
pub(super) const UNIT_RANGE: ValueRange = ValueRange {
    low: 0.0,
    high: 1.0,
};
const PIXEL_RANGE: ValueRange = ValueRange {
    low: 0.0,
    high: 255.0,
};
/// Dimensions from which on bytes are taken for pixels.
const PIXEL_RANK: usize = 3;

/// The meaning of an input's values, by its name.
#[derive(Clone, Copy, Debug)]
enum Role {
    /// Says which elements count.
    Mask,
    /// Says which of two texts a token belongs to.
    TokenType,
    Position,
    /// How many elements count; this many, which are all.
    Length(u64),
}

/// Words in names by which inputs are told, the first that fits.
const ROLES: [(Role, &[&str]); 3] = [
    (Role::TokenType, &["token_type", "segment_id"]),
    (Role::Position, &["position_id", "pos_id", "positions"]),
    (Role::Mask, &["mask"]),
];
const LENGTHS: [&str; 4] = ["length", "lengths", "len", "lens"];

impl Question<'_> {
    fn role(&self) -> Option<Role> {
        let name = self.info.name.exact().to_lowercase();
        for (role, words) in ROLES {
            if words.iter().any(|word| name.contains(word)) {
                return Some(role);
            }
        }
        let mut others = dims_of(self.info).iter().skip(1);
        let is_length = LENGTHS.iter().any(|end| name.ends_with(end));
        if is_length && others.all(|dim| *dim == Dim::Fixed(1)) {
            self.length().map(Role::Length)
        } else {
            None
        }
    }

    /// Size of the dimension that a length counts along: of the input that it is named after, else
    /// of the first input that has an open dimension, else of the first that has any beside the
    /// batch.
    pub(super) fn length(&self) -> Option<u64> {
        let stem = self
            .info
            .name
            .exact()
            .rsplit_once('_')
            .map(|(stem, _)| stem);
        let named = stem.and_then(|stem| self.others().find(|other| other.name.starts_with(stem)));
        named
            .and_then(|other| self.open_size(other).or_else(|| self.any_size(other)))
            .or_else(|| self.others().find_map(|other| self.open_size(other)))
            .or_else(|| self.others().find_map(|other| self.any_size(other)))
    }

    fn open_size(&self, info: &TensorInfo) -> Option<u64> {
        self.size_where(info, |dim| !matches!(dim, Dim::Fixed(_)))
    }

    fn any_size(&self, info: &TensorInfo) -> Option<u64> {
        self.size_where(info, |_| true)
    }

    /// The first size that is known of such dimensions.
    fn size_where(&self, info: &TensorInfo, fits: fn(&Dim) -> bool) -> Option<u64> {
        dims_of(info)
            .iter()
            .zip(self.shape_of(info))
            .find_map(|(dim, size)| size.filter(|_| fits(dim)))
    }

    /// Values by what the input's name says of them.
    pub(super) fn by_name(&self) -> Option<Fill> {
        let role = self.role()?;
        let bound = self.bound();
        let low = bound.map_or(f64::NEG_INFINITY, |bound| bound.low);
        let high = bound.map_or(f64::INFINITY, |bound| bound.high);
        let safe = low..=high.min(limits(self.element_type).1);
        let last = self.shape().last().copied().flatten().unwrap_or(1) as f64 - 1.0;
        let whole = self.element_type.is_integer();
        let (kind, reason) = match role {
            _ if self.element_type == ElementType::String => return None,
            Role::Mask if safe.contains(&1.0) => (
                FillKind::Constant(1.0),
                "a mask by its name: everything counts".to_owned(),
            ),
            Role::TokenType if whole && safe.contains(&0.0) => (
                FillKind::Constant(0.0),
                "token types by its name: all of the first text".to_owned(),
            ),
            Role::Position if whole && safe.contains(&0.0) && safe.contains(&last) => {
                self.positions(*safe.end())
            }
            Role::Length(size) if whole && safe.contains(&(size as f64)) => (
                FillKind::Constant(size as f64),
                format!("a length by its name: the whole dimension of {size}"),
            ),
            _ => return None,
        };
        Some(Fill {
            kind,
            reason,
            steers: matches!(role, Role::Mask | Role::Length(_)),
        })
    }

    fn positions(&self, most: f64) -> (FillKind, String) {
        let reason = "position ids by its name";
        match self.past(most) {
            Some(past) => (
                FillKind::AscendingFrom(past),
                format!("{reason}, after the {past} of the past"),
            ),
            None => (FillKind::Ascending, reason.to_owned()),
        }
    }

    /// The length of a past that positions go on after, up to `most`, where sizes show one: an
    /// input is as long as it and the new tokens.
    fn past(&self, most: f64) -> Option<u64> {
        let new = self.shape().last().copied().flatten()?;
        let lists = self.shapes.values().filter_map(|shape| match shape[..] {
            [_, Some(all)] => all.checked_sub(new),
            _ => None,
        });
        lists
            .filter(|&past| past > 0 && self.has_size(past))
            .max()
            .filter(|&past| (past + new - 1) as f64 <= most)
    }

    fn has_size(&self, wanted: u64) -> bool {
        let mut sizes = self.shapes.values().flatten();
        sizes.any(|&size| size == Some(wanted))
    }
}

pub(super) fn by_bound(bound: &IndexBound) -> Fill {
    let IndexBound {
        low, high, indexes, ..
    } = *bound;
    let mut reason = bound.reason.clone();
    let kind = if low > high {
        reason.push_str(", where no value is safe");
        FillKind::Constant(0.0)
    } else if low == high || !indexes {
        FillKind::Constant(high)
    } else {
        FillKind::Uniform(ValueRange { low, high })
    };
    Fill {
        kind,
        reason,
        steers: !indexes,
    }
}

pub(super) fn by_type(element_type: ElementType, rank: usize) -> Fill {
    let (kind, reason) = match element_type {
        ElementType::String => (FillKind::Text, "strings of a few letters"),
        ElementType::Bool => (FillKind::Constant(1.0), "truth values are true by default"),
        ElementType::Uint8 if rank >= PIXEL_RANK => (
            FillKind::Uniform(PIXEL_RANGE),
            "bytes with the dimensions of an image: pixels",
        ),
        integer if integer.is_integer() => (
            FillKind::Uniform(UNIT_RANGE),
            "no operator that indexes by it was found: 0 and 1 are valid in any vocabulary",
        ),
        _ => (
            FillKind::Uniform(UNIT_RANGE),
            "floating-point values are uniform in 0..1 by default",
        ),
    };
    Fill {
        kind,
        reason: reason.to_owned(),
        steers: false,
    }
}
