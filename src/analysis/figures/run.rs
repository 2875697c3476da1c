//! The figures of a run, before anything is concluded from them.

use std::collections::HashMap;
use std::ops::Deref;

use serde::{Serialize, Serializer};

use super::cell::CellFindings;
use super::session::SessionFindings;
use crate::plan::CellKey;

/// Figures of the sessions and the cells of a run.
#[derive(Clone, Copy, Debug)]
pub struct Figures<'a> {
    /// Each session, in the order of the plan.
    pub sessions: &'a [SessionFindings],
    /// Each cell of the plan.
    pub cells: &'a Cells,
}

/// The cells of a plan, in the order of sessions, batch sizes and load modes; each is found by its key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cells {
    found: Vec<CellFindings>,
    places: HashMap<CellKey, usize>,
}

impl Cells {
    /// Findings on a cell; `None` of a cell that the plan does not have.
    #[must_use]
    pub fn at(&self, key: CellKey) -> Option<&CellFindings> {
        self.places.get(&key).map(|&place| &self.found[place])
    }

    pub(super) fn all_mut(&mut self) -> &mut [CellFindings] {
        &mut self.found
    }
}

impl From<Vec<CellFindings>> for Cells {
    fn from(found: Vec<CellFindings>) -> Self {
        let places = found.iter().enumerate().map(|(place, cell)| (cell.key, place)).collect();
        Cells { found, places }
    }
}

impl Deref for Cells {
    type Target = [CellFindings];

    fn deref(&self) -> &[CellFindings] {
        &self.found
    }
}

impl<'a> IntoIterator for &'a Cells {
    type Item = &'a CellFindings;
    type IntoIter = std::slice::Iter<'a, CellFindings>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.iter()
    }
}

impl IntoIterator for Cells {
    type Item = CellFindings;
    type IntoIter = std::vec::IntoIter<CellFindings>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.into_iter()
    }
}

impl Serialize for Cells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.found.serialize(serializer)
    }
}
