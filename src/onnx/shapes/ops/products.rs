//! Products of matrices.

use std::collections::BTreeMap;

use super::{Call, Dims, Expr, Made, Side, number};

impl Call<'_> {
    pub(super) fn multiplied(&self) -> Made {
        let made = match self.operator() {
            "MatMul"
            | "MatMulInteger"
            | "MatMulInteger16"
            | "MatMulIntegerToFloat"
            | "DynamicQuantizeMatMul" => self.matmul(1),
            "QLinearMatMul" => self.matmul(3),
            "FusedMatMul" | "TransposeMatMul" => self.turned_matmul(),
            "Gemm" | "FusedGemm" | "GemmFloat8" => self.gemm(1),
            "QGemm" => self.gemm(3),
            "MatMulNBits" | "MatMulBnb4" | "MatMulFpQ4" => self.packed_matmul(),
            "Einsum" => self.einsum(),
            _ => return None,
        };
        Some(vec![made])
    }

    fn matmul(&self, right: usize) -> Dims {
        self.product(self.side(0)?, self.side(right)?)
    }

    fn turned_matmul(&self) -> Dims {
        self.product(self.turned(0, "transA")?, self.turned(1, "transB")?)
    }

    fn turned(&self, index: usize, name: &str) -> Option<Side> {
        let batches = self.is_on("transBatchA") || self.is_on("transBatchB");
        let mut side = self.side(index).filter(|_| !batches)?;
        let last = side.dims.len().checked_sub(1).filter(|&last| last > 0)?;
        if self.is_on(name) {
            side.dims.swap(last, last - 1);
        }
        Some(side)
    }

    fn product(&self, left: Side, right: Side) -> Dims {
        let (inner, rows) = left.dims.split_last()?;
        let (outer, last) = right.dims.split_at(right.dims.len().saturating_sub(2));
        let (other_inner, columns) = last.split_first()?;
        let mut features = None;
        if right.is_stored {
            self.features();
            features = other_inner.number();
        }
        self.alike_inside(inner, other_inner, features);
        let (batch, row) = rows.split_at(rows.len().saturating_sub(1));
        let [batch, outer] =
            [(batch, left.is_stored), (outer, right.is_stored)].map(|(dims, is_stored)| Side {
                dims: dims.to_vec(),
                is_stored,
            });
        Some([&self.broadcast(&batch, &outer).dims[..], row, columns].concat())
    }

    /// The axis that is summed over is as long on both sides; so many features, where that is
    /// known.
    fn alike_inside(&self, inner: &Expr, other: &Expr, features: Option<i64>) {
        let does = match features {
            Some(count) => format!("multiplies {count} features"),
            None => "multiplies what is alike inside".into(),
        };
        self.equal(inner, other, does);
    }

    fn gemm(&self, right: usize) -> Dims {
        let (left, right) = (self.matrix(0, "transA"), self.matrix(right, "transB"));
        if let (Some([_, inner]), Some([other, _])) = (&left, &right) {
            self.features();
            self.alike_inside(inner, other, other.number());
        }
        let rows = left.map(|[rows, _]| rows).unwrap_or_default();
        let columns = right.map(|[_, columns]| columns).unwrap_or_default();
        Some(vec![rows, columns])
    }

    /// Rows and columns of an input, after it is turned where that attribute says so.
    fn matrix(&self, index: usize, turned: &str) -> Option<[Expr; 2]> {
        let mut sides = self.owned(index)?;
        if self.is_on(turned) {
            sides.reverse();
        }
        sides.try_into().ok()
    }

    /// A product with a packed matrix, whose size attributes tell.
    fn packed_matmul(&self) -> Dims {
        let mut made = self.owned(0)?;
        let (inner, columns) = (self.node.integer("K")?, self.node.integer("N")?);
        self.features();
        let last = made.last_mut()?;
        self.alike_inside(last, &number(inner), Some(inner));
        *last = number(columns);
        Some(made)
    }

    /// Sums over products, as letters of the equation say; ellipses are left unknown.
    fn einsum(&self) -> Dims {
        let equation = self.node.texts("equation").first()?;
        let equation: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
        if equation.contains('.') {
            return None;
        }
        let (terms, result) = match equation.split_once("->") {
            Some((terms, result)) => (terms, result.to_owned()),
            None => (equation.as_str(), implied(&equation)),
        };
        let sizes = self.letters(terms)?;
        let result = result.chars();
        result.map(|letter| sizes.get(&letter).cloned()).collect()
    }

    /// Sizes of the letters in an equation's terms.
    fn letters(&self, terms: &str) -> Option<BTreeMap<char, Expr>> {
        let mut sizes: BTreeMap<char, Expr> = BTreeMap::new();
        for (index, term) in terms.split(',').enumerate() {
            let dims = self.dims(index)?;
            if dims.len() != term.chars().count() {
                return None;
            }
            for (letter, size) in term.chars().zip(dims) {
                let known = sizes.entry(letter).or_insert_with(|| number(1));
                if *known == number(1) {
                    known.clone_from(size);
                } else if *size != number(1) {
                    *known = self.equal(known, size, "sums over what is alike");
                }
            }
        }
        Some(sizes)
    }
}

/// Letters that occur once, sorted: the result of an equation that names none.
fn implied(equation: &str) -> String {
    let mut letters: Vec<char> = equation.chars().filter(|letter| *letter != ',').collect();
    letters.sort_unstable();
    let runs = letters.chunk_by(|one, other| one == other);
    runs.filter(|run| run.len() == 1).flatten().collect()
}
