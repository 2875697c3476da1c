mod demands;
mod extremes;
mod roles;
mod varying;

use super::expr::number;
use super::*;
use crate::onnx::{AttributeValue, Node, StoredTensor, testing};
use crate::plan::ElementType;
use crate::record::ValueType;

/// A graph under construction: inputs whose negative sizes are open, numbered from -1, and nodes
/// after each other.
#[derive(Default)]
struct Builder {
    graph: Graph,
}

impl Builder {
    fn input(mut self, name: &str, element_type: ElementType, sizes: &[i64]) -> Builder {
        let dim = |&size: &i64| {
            u64::try_from(size).map_or(Dim::Symbolic(format!("o{size}").into()), Dim::Fixed)
        };
        let value_type = ValueType::Tensor {
            element_type,
            dims: Some(sizes.iter().map(dim).collect()),
        };
        self.graph.inputs.push(TensorInfo {
            name: name.into(),
            value_type,
        });
        self
    }

    fn floats(self, name: &str, sizes: &[i64]) -> Builder {
        self.input(name, ElementType::Float, sizes)
    }

    fn stored(mut self, tensor: StoredTensor) -> Builder {
        self.graph.initializers.push(tensor);
        self
    }

    fn weight(self, name: &str, dims: &[u64]) -> Builder {
        self.stored(testing::tensor(name, dims, None))
    }

    fn whole(self, name: &str, values: &[f64]) -> Builder {
        self.stored(testing::list(name, values))
    }

    fn scalar(self, name: &str, value: f64) -> Builder {
        self.stored(testing::whole(name, &[], &[value]))
    }

    fn node(mut self, text: &str) -> Builder {
        let name = format!("n{}", self.graph.nodes.len());
        let node = testing::parsed(text);
        self.graph.nodes.push(Node { name, ..node });
        self
    }

    /// Gives the last node an attribute.
    fn with(mut self, name: &str, value: AttributeValue) -> Builder {
        let node = self.graph.nodes.pop().unwrap();
        self.graph.nodes.push(testing::with(node, name, value));
        self
    }

    fn output(mut self, name: &str) -> Builder {
        self.graph.outputs.push(TensorInfo {
            name: name.into(),
            value_type: ValueType::Other(String::new().into()),
        });
        self
    }

    fn facts(self) -> ShapeFacts {
        if let (true, Some(last)) = (self.graph.outputs.is_empty(), self.graph.nodes.last()) {
            let made = last.outputs[0].clone();
            return self.output(&made).facts();
        }
        ShapeFacts::of(&self.graph)
    }
}

/// A graph whose first input is this one.
fn fed(name: &str, element_type: ElementType, sizes: &[i64]) -> Builder {
    Builder::default().input(name, element_type, sizes)
}

fn floats(name: &str, sizes: &[i64]) -> Builder {
    fed(name, ElementType::Float, sizes)
}

/// Sizes of the only output with these sizes of the open dimensions.
fn sizes(facts: &ShapeFacts, open: &[u64]) -> Option<Vec<Option<i64>>> {
    let dims = facts.outputs.values().next()?.as_ref()?;
    Some(
        dims.iter()
            .map(|size| size.evaluate(&|dim| open.get(dim).copied()))
            .collect(),
    )
}

fn known(sizes: &[i64]) -> Option<Vec<Option<i64>>> {
    Some(sizes.iter().map(|&size| Some(size)).collect())
}

fn relations(facts: &ShapeFacts) -> Vec<Relation> {
    let demands = facts.demands.iter();
    demands.map(|demand| demand.relation.clone()).collect()
}

fn at_least(dim: usize, least: u64) -> Relation {
    Relation::AtLeast(Expr::Dim(dim), least)
}

fn equal(dim: usize, count: i64) -> Relation {
    Relation::Equal(Expr::Dim(dim), number(count))
}

fn roles(facts: &ShapeFacts) -> Vec<Option<DimRole>> {
    facts.dims.iter().map(|dim| dim.role).collect()
}

#[test]
fn a_symbol_is_one_dimension_and_a_made_up_name_one_at_every_place() {
    let symbol = |name: &str| Dim::Symbolic(name.into());
    let input = |name: &str, dims: Vec<Dim>| TensorInfo {
        name: name.into(),
        value_type: ValueType::Tensor {
            element_type: ElementType::Float,
            dims: Some(dims),
        },
    };
    let inputs = [
        input(
            "a",
            vec![symbol("batch"), symbol("?"), symbol("?"), Dim::Fixed(3)],
        ),
        input("b", vec![Dim::Unknown, symbol("batch")]),
    ];
    let facts = ShapeFacts::of(&Graph {
        inputs: inputs.to_vec(),
        ..Graph::default()
    });
    let names: Vec<&str> = facts.dims.iter().map(|dim| dim.name.as_str()).collect();
    assert_eq!(names, ["batch", "a.1", "a.2", "b.0"]);
    assert_eq!(
        (facts.dim_at("b", 1), facts.dim_at("a", 3)),
        (Some(0), None)
    );
}

#[test]
fn a_convolution_demands_its_channels_and_halves_an_image() {
    let facts = floats("p", &[-1, -2, -3, -4])
        .weight("w", &[8, 3, 7, 7])
        .node("c = Conv p w strides=2,2 pads=3,3,3,3")
        .node("y = MaxPool c kernel_shape=2,2 strides=2,2")
        .facts();
    assert_eq!(sizes(&facts, &[5, 3, 224, 225]), known(&[5, 8, 56, 56]));
    assert_eq!(relations(&facts)[0], equal(1, 3));
    assert_eq!(
        facts.demands[0].reason,
        "Conv `n0` has kernels of 3 channels"
    );
    let wanted = [
        None,
        Some(DimRole::Channels),
        Some(DimRole::Height),
        Some(DimRole::Width),
    ];
    assert_eq!(roles(&facts), wanted);
    assert_eq!(facts.varying, None);
}

#[test]
fn indices_of_a_table_count_tokens_and_positions_end_with_their_table() {
    let facts = fed("i", ElementType::Int64, &[-1, -2])
        .weight("words", &[900, 8])
        .weight("places", &[77, 8])
        .scalar("at", 1.0)
        .scalar("zero", 0.0)
        .scalar("one", 1.0)
        .node("a = Gather words i")
        .node("s = Shape i")
        .node("n = Gather s at")
        .node("r = Range zero n one")
        .node("b = Gather places r")
        .node("y = Add a b")
        .facts();
    assert_eq!(sizes(&facts, &[2, 9]), known(&[2, 9, 8]));
    assert_eq!(roles(&facts), [None, Some(DimRole::Tokens)]);
    assert_eq!(relations(&facts), [Relation::AtMost(Expr::Dim(1), 77)]);
}

#[test]
fn a_table_of_positions_that_is_cut_bounds_what_it_is_added_to() {
    let facts = floats("x", &[-1, -2, 8])
        .weight("table", &[1, 50, 8])
        .whole("zero", &[0.0])
        .whole("one", &[1.0])
        .whole("two", &[2.0])
        .node("s = Shape x")
        .node("n = Slice s one two zero")
        .node("t = Slice table zero n one")
        .node("y = Add x t")
        .facts();
    assert_eq!(sizes(&facts, &[2, 9]), known(&[2, 9, 8]));
    assert_eq!(relations(&facts), [Relation::AtMost(Expr::Dim(1), 50)]);
}

#[test]
fn patches_must_be_as_many_as_a_stored_table_has() {
    let facts = floats("x", &[-1, 3, -2, -3])
        .weight("w", &[8, 3, 16, 16])
        .weight("table", &[1, 196, 8])
        .whole("flat", &[0.0, 8.0, -1.0])
        .node("c = Conv x w strides=16,16")
        .node("f = Reshape c flat")
        .node("t = Transpose f perm=0,2,1")
        .node("y = Add t table")
        .facts();
    let equals = relations(&facts)
        .into_iter()
        .find_map(|relation| match relation {
            Relation::Equal(patches, Expr::Number(196)) => Some(patches),
            _ => None,
        });
    let patches = equals.unwrap();
    let at = |high, wide| patches.evaluate(&|dim| Some([1, high, wide][dim]));
    assert_eq!(
        (at(224, 224), at(224, 240), at(256, 256)),
        (Some(196), Some(210), Some(256))
    );
}

#[test]
fn past_and_new_are_as_many_as_the_mask_has() {
    let facts = floats("old", &[-1, 2, -2, 4])
        .floats("x", &[-1, 2, -3, 4])
        .floats("mask", &[-1, 1, 1, -4])
        .node("new = Softmax x")
        .node("all = Concat old new axis=2")
        .node("t = Transpose all perm=0,1,3,2")
        .node("scores = MatMul x t")
        .node("y = Add scores mask")
        .output("all")
        .facts();
    let total = Expr::Dim(1).plus(&Expr::Dim(2));
    assert_eq!(facts.outputs["all"].as_ref().unwrap()[2], total);
    assert_eq!(
        relations(&facts),
        [Relation::Broadcast(total, Expr::Dim(3))]
    );
    assert_eq!(facts.dims[1].role, Some(DimRole::Past));
}

#[test]
fn products_demand_features_and_reshapes_keep_elements() {
    let facts = floats("x", &[-1, -2])
        .weight("w", &[12, 6])
        .whole("heads", &[-1.0, 3.0, 2.0])
        .node("m = MatMul x w")
        .node("y = Reshape m heads")
        .facts();
    assert_eq!(sizes(&facts, &[7, 12]), known(&[7, 3, 2]));
    assert_eq!(relations(&facts), [equal(1, 12)]);
    assert_eq!(roles(&facts), [None, Some(DimRole::Features)]);
    let windows = floats("x", &[1, -1, 4])
        .whole("parts", &[-1.0, 7.0, 4.0])
        .node("y = Reshape x parts")
        .facts();
    assert_eq!(relations(&windows), [Relation::MultipleOf(Expr::Dim(0), 7)]);
}

#[test]
fn ways_down_and_up_again_must_meet() {
    let scales = [1.0, 1.0, 2.0, 2.0];
    let facts = floats("x", &[1, 3, -1, -2])
        .stored(testing::tensor("up", &[4], Some(&scales)))
        .node("d = MaxPool x kernel_shape=2,2 strides=2,2")
        .node("u = Resize d _ up")
        .node("y = Concat x u axis=1")
        .facts();
    assert!(relations(&facts).contains(&Relation::MultipleOf(Expr::Dim(0), 2)));
    assert_eq!(sizes(&facts, &[64, 32]), known(&[1, 6, 64, 32]));
}

#[test]
fn mirrored_padding_is_narrower_than_its_axis() {
    let facts = floats("x", &[-1, -2])
        .whole("pads", &[0.0, 200.0, 0.0, 200.0])
        .node("y = Pad x pads mode=reflect")
        .facts();
    assert_eq!(relations(&facts), [at_least(1, 201)]);
    assert_eq!(sizes(&facts, &[1, 300]), known(&[1, 700]));
}

#[test]
fn sizes_that_follow_what_inputs_hold_vary_and_those_of_their_sums_do_not() {
    let found = || floats("x", &[-1, 4]).node("z = NonZero x");
    assert_eq!(
        found().facts().varying.as_deref(),
        Some("NonZero `n0` makes as many as it finds")
    );
    let summed = found().node("y = ReduceSum z axes=1");
    assert_eq!(summed.facts().varying, None);
    let asked = floats("x", &[-1, 4])
        .input("k", ElementType::Int64, &[1])
        .node("a, b = TopK x k")
        .facts();
    assert!(asked.varying.unwrap().starts_with("TopK `n0` takes sizes"));
    let own = floats("x", &[-1, 4]).node("y = own.Do x").facts();
    assert!(own.varying.unwrap().contains("domain `own`"));
}

#[test]
fn branches_of_unlike_sizes_vary_and_those_that_sizes_decide_do_not() {
    let branch = |operator: &str, output: &str| {
        let made = Builder::default()
            .node(&format!("{output} = {operator} x"))
            .output(output)
            .graph;
        AttributeValue::Graphs(vec![made])
    };
    let chosen = |built: Builder, second| {
        built
            .node("y = If c")
            .with("then_branch", branch("Relu", "a"))
            .with("else_branch", branch(second, "b"))
            .facts()
    };
    let by_flag = |second| {
        let fed = floats("x", &[-1, 4]).input("c", ElementType::Bool, &[]);
        chosen(fed, second)
    };
    assert_eq!(by_flag("Neg").varying, None);
    assert_eq!(
        by_flag("Transpose").varying.as_deref(),
        Some("If `n0` has branches of unlike sizes")
    );
    let by_size = floats("x", &[-1, 4])
        .scalar("two", 2.0)
        .node("s = Size x")
        .node("none = Sub s s")
        .node("c = Equal none two");
    let by_size = chosen(by_size, "Transpose");
    assert_eq!(
        (sizes(&by_size, &[3]), by_size.varying.clone()),
        (known(&[4, 3]), None)
    );
    assert!(by_flag("Neg").has_choice && !by_size.has_choice);
}

#[test]
fn loops_carry_sizes_that_stay_and_lose_those_that_grow() {
    let body = |operator: &str| {
        fed("i", ElementType::Int64, &[])
            .input("c", ElementType::Bool, &[])
            .floats("state", &[-9, 4])
            .node("go = Identity c")
            .node(&format!("next = {operator} state state axis=0"))
            .output("go")
            .output("next")
            .graph
    };
    let looped = |operator: &str| {
        floats("x", &[-1, 4])
            .scalar("times", 3.0)
            .node("y = Loop times _ x")
            .with("body", AttributeValue::Graphs(vec![body(operator)]))
            .facts()
    };
    assert_eq!(sizes(&looped("Add"), &[5]), known(&[5, 4]));
    assert_eq!(sizes(&looped("Concat"), &[5]), Some(vec![None, Some(4)]));
}

#[test]
fn nodes_that_a_converter_put_last_are_walked_in_time() {
    let facts = floats("x", &[-1, 4])
        .node("y = Flatten cast")
        .node("cast = Cast x to=10")
        .output("y")
        .facts();
    assert_eq!(sizes(&facts, &[5]), known(&[5, 4]));
}

#[test]
fn models_of_the_repository_are_followed_to_their_declared_outputs() {
    let mut checked = 0;
    for path in model_files(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models")) {
        let Ok(model) = crate::onnx::read(&path) else {
            continue;
        };
        let facts = ShapeFacts::of(&crate::onnx::inlined(&model));
        for info in &model.graph.outputs {
            let ValueType::Tensor {
                dims: Some(declared),
                ..
            } = &info.value_type
            else {
                continue;
            };
            let Some(Some(found)) = facts.outputs.get(info.name.exact()) else {
                continue;
            };
            let place = format!("{} of {}", info.name, path.display());
            assert_eq!(found.len(), declared.len(), "{place}");
            for (found, declared) in found.iter().zip(declared) {
                if let (Expr::Number(found), Dim::Fixed(declared)) = (found, declared) {
                    assert_eq!(*found as u64, *declared, "{place}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 30, "{checked} sizes");
}

fn model_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                model_files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "onnx")
        })
        .collect()
}
