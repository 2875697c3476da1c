//! Products of matrices.

use super::{AttributeValue, Call, Dims, Expr, Known, Side, number, owned, roles};

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let made = match call.node.operator.as_str() {
        "MatMul"
        | "MatMulInteger"
        | "MatMulInteger16"
        | "MatMulIntegerToFloat"
        | "DynamicQuantizeMatMul" => matmul(call, known, &Matrices::plain(call, 1)),
        "QLinearMatMul" => matmul(call, known, &Matrices::plain(call, 3)),
        "FusedMatMul" | "TransposeMatMul" => matmul(call, known, &Matrices::turned(call)),
        "Gemm" | "FusedGemm" | "GemmFloat8" => gemm(call, known, 1),
        "QGemm" => gemm(call, known, 3),
        "MatMulNBits" | "MatMulBnb4" | "MatMulFpQ4" => packed(call, known),
        "Einsum" => einsum(call, known),
        _ => return None,
    };
    Some(vec![made])
}

struct Matrices {
    left: Dims,
    right: Dims,
    right_input: usize,
}

impl Matrices {
    fn plain(call: &Call<'_>, right_input: usize) -> Matrices {
        Matrices {
            left: owned(call.dims(0)),
            right: owned(call.dims(right_input)),
            right_input,
        }
    }

    fn turned(call: &Call<'_>) -> Matrices {
        let mut plain = Matrices::plain(call, 1);
        let batches = ["transBatchA", "transBatchB"]
            .iter()
            .any(|name| call.integer(name, 0) == 1);
        for (side, name) in [(&mut plain.left, "transA"), (&mut plain.right, "transB")] {
            match side {
                Some(dims) if batches || dims.len() < 2 => *side = None,
                Some(dims) if call.integer(name, 0) == 1 => {
                    let last = dims.len() - 1;
                    dims.swap(last, last - 1);
                }
                _ => {}
            }
        }
        plain
    }
}

fn matmul(call: &Call<'_>, known: &mut Known, matrices: &Matrices) -> Dims {
    let (left, right) = (matrices.left.as_ref()?, matrices.right.as_ref()?);
    let (inner, rows) = left.split_last()?;
    let (other_inner, outer, columns) = match right.as_slice() {
        [] => return None,
        [inner] => (inner, &[][..], &[][..]),
        [outer @ .., inner, columns] => (inner, outer, std::slice::from_ref(columns)),
    };
    let is_stored = call.is_stored(matrices.right_input);
    if is_stored {
        roles::features(call, known);
    }
    known.equal(inner, other_inner, || {
        match other_inner.number().filter(|_| is_stored) {
            Some(count) => format!("{} multiplies {count} features", call.words()),
            None => format!("{} multiplies what is alike inside", call.words()),
        }
    });
    let (batch, row) = match rows.split_last() {
        None => (&[][..], &[][..]),
        Some((row, batch)) => (batch, std::slice::from_ref(row)),
    };
    let sides = (
        Side {
            dims: batch,
            is_stored: call.is_stored(0),
        },
        Side {
            dims: outer,
            is_stored,
        },
    );
    let batch = known.broadcast(&sides.0, &sides.1, &|| call.words());
    Some([&batch, row, columns].concat())
}

fn gemm(call: &Call<'_>, known: &mut Known, right_input: usize) -> Dims {
    let left = matrix(call, 0, "transA");
    let Some([other_inner, columns]) = matrix(call, right_input, "transB") else {
        return Some(vec![
            left.map_or(Expr::Unknown, |[rows, _]| rows),
            Expr::Unknown,
        ]);
    };
    let Some([rows, inner]) = left else {
        return Some(vec![Expr::Unknown, columns]);
    };
    roles::features(call, known);
    known.equal(&inner, &other_inner, || match other_inner.number() {
        Some(count) => format!("{} multiplies {count} features", call.words()),
        None => format!("{} multiplies what is alike inside", call.words()),
    });
    Some(vec![rows, columns])
}

/// Rows and columns of an input, after it is turned where that attribute says so.
fn matrix(call: &Call<'_>, index: usize, turned: &str) -> Option<[Expr; 2]> {
    let [rows, columns] = call.dims(index)? else {
        return None;
    };
    Some(match call.integer(turned, 0) {
        1 => [columns.clone(), rows.clone()],
        _ => [rows.clone(), columns.clone()],
    })
}

/// A product with a packed matrix, whose size attributes tell.
fn packed(call: &Call<'_>, known: &mut Known) -> Dims {
    let mut made = owned(call.dims(0))?;
    let (inner, columns) = (call.node.integer("K")?, call.node.integer("N")?);
    roles::features(call, known);
    let last = made.last_mut()?;
    known.equal(&last.clone(), &number(inner), || {
        format!("{} multiplies {inner} features", call.words())
    });
    *last = number(columns);
    Some(made)
}

/// Sums over products, as letters of the equation say; ellipses are left unknown.
fn einsum(call: &Call<'_>, known: &mut Known) -> Dims {
    let equation: String = match call.node.attribute("equation") {
        Some(AttributeValue::Texts(texts)) => texts
            .first()?
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect(),
        _ => return None,
    };
    if equation.contains('.') {
        return None;
    }
    let (terms, result) = match equation.split_once("->") {
        Some((terms, result)) => (terms.to_owned(), result.to_owned()),
        None => (equation.clone(), implied(&equation)),
    };
    let mut sizes: Vec<(char, Expr)> = Vec::new();
    for (index, term) in terms.split(',').enumerate() {
        let dims = call
            .dims(index)
            .filter(|dims| dims.len() == term.chars().count());
        for (letter, size) in term.chars().zip(dims?) {
            match sizes.iter_mut().find(|(known, _)| *known == letter) {
                Some((_, first)) if *first == number(1) => *first = size.clone(),
                Some(_) if *size == number(1) => {}
                Some((_, first)) => {
                    *first = known.equal(&first.clone(), size, || {
                        format!("{} sums over what is alike", call.words())
                    });
                }
                None => sizes.push((letter, size.clone())),
            }
        }
    }
    result
        .chars()
        .map(|letter| {
            sizes
                .iter()
                .find(|(known, _)| *known == letter)
                .map(|(_, size)| size.clone())
        })
        .collect()
}

/// Letters that occur once, sorted: the result of an equation that names none.
fn implied(equation: &str) -> String {
    let mut letters: Vec<char> = equation.chars().filter(|letter| *letter != ',').collect();
    letters.sort_unstable();
    let once = |letter: &&char| letters.iter().filter(|other| other == letter).count() == 1;
    letters.iter().filter(once).collect()
}
