//! Calls of a model's own functions replaced by their bodies.

use std::collections::HashMap;

use super::{Attribute, AttributeValue, Function, Graph, Model, Node};

/// Calls within calls that are replaced: functions may not call themselves, and none of practice
/// goes so deep.
const DEPTH_LIMIT: usize = 32;
/// Beyond this many nodes calls stay as they are: functions that call each other twice double at
/// every step.
const NODE_LIMIT: usize = 200_000;

/// The model's graph with calls of its own functions, nested ones included, replaced by their
/// bodies, so that its nodes are plain operators. A function that calls itself, or whose name
/// several share, stays a call.
#[must_use]
pub fn inlined(model: &Model) -> Graph {
    if model.functions.is_empty() {
        return model.graph.clone();
    }
    let mut functions: HashMap<(&str, &str), Option<&Function>> = HashMap::new();
    for function in &model.functions {
        let key = (domain(&function.domain), function.body.name.as_str());
        functions
            .entry(key)
            .and_modify(|known| *known = None)
            .or_insert(Some(function));
    }
    let mut inliner = Inliner {
        functions,
        calls_count: 0,
        nodes_count: 0,
    };
    inliner.graph(&model.graph, &Scope::default())
}

/// Both spellings of the standard's domain as one.
fn domain(name: &str) -> &str {
    if name == "ai.onnx" { "" } else { name }
}

struct Inliner<'m> {
    functions: HashMap<(&'m str, &'m str), Option<&'m Function>>,
    calls_count: usize,
    nodes_count: usize,
}

/// Meanings of a body's names where it is called; in the main graph, the names themselves.
#[derive(Default)]
struct Scope<'m> {
    /// Goes before names of values that the body makes; empty in the main graph.
    prefix: String,
    /// Goes before names of nodes.
    caller: &'m str,
    /// Names that the call gives for the body's inputs and outputs.
    bound: HashMap<&'m str, String>,
    attributes: HashMap<String, AttributeValue>,
    depth: usize,
}

impl Scope<'_> {
    fn name(&self, name: &str) -> String {
        match self.bound.get(name) {
            Some(given) => given.clone(),
            None if name.is_empty() => String::new(),
            None => format!("{}{name}", self.prefix),
        }
    }

    fn names(&self, names: &[String]) -> Vec<String> {
        names.iter().map(|name| self.name(name)).collect()
    }

    fn node_name(&self, name: &str) -> String {
        match (self.caller, name) {
            ("", name) => name.to_owned(),
            (caller, "") => caller.to_owned(),
            (caller, name) => format!("{caller}/{name}"),
        }
    }
}

impl<'m> Inliner<'m> {
    fn graph(&mut self, graph: &'m Graph, scope: &Scope<'m>) -> Graph {
        let values = graph.values.iter();
        let mut plain = Graph {
            name: graph.name.clone(),
            inputs: graph.inputs.clone(),
            outputs: graph.outputs.clone(),
            values: values
                .map(|(name, kind)| (scope.name(name), kind.clone()))
                .collect(),
            initializers: graph.initializers.clone(),
            nodes: Vec::new(),
        };
        for info in plain.inputs.iter_mut().chain(&mut plain.outputs) {
            info.name = scope.name(info.name.exact()).into();
        }
        for tensor in &mut plain.initializers {
            tensor.name = scope.name(&tensor.name);
        }
        self.nodes(&graph.nodes, scope, &mut plain.nodes);
        plain
    }

    fn nodes(&mut self, nodes: &'m [Node], scope: &Scope<'m>, out: &mut Vec<Node>) {
        for node in nodes {
            match self.called(node, scope) {
                Some(function) => self.call(function, node, scope, out),
                None => out.push(self.node(node, scope)),
            }
        }
    }

    fn called(&self, node: &Node, scope: &Scope<'_>) -> Option<&'m Function> {
        let may = scope.depth < DEPTH_LIMIT && self.nodes_count < NODE_LIMIT;
        let key = (domain(&node.domain), node.operator.as_str());
        self.functions.get(&key).copied().flatten().filter(|_| may)
    }

    fn node(&mut self, node: &'m Node, scope: &Scope<'m>) -> Node {
        self.nodes_count += 1;
        Node {
            name: scope.node_name(&node.name),
            operator: node.operator.clone(),
            domain: node.domain.clone(),
            inputs: scope.names(&node.inputs),
            outputs: scope.names(&node.outputs),
            attributes: node
                .attributes
                .iter()
                .filter_map(|given| self.attribute(given, scope))
                .collect(),
        }
    }

    /// The attribute as it is where the body is called; none where that leaves it out.
    fn attribute(&mut self, given: &'m Attribute, scope: &Scope<'m>) -> Option<Attribute> {
        let value = match &given.value {
            AttributeValue::Reference(name) => scope.attributes.get(name)?.clone(),
            AttributeValue::Graphs(graphs) => {
                let graphs = graphs.iter().map(|graph| self.graph(graph, scope));
                AttributeValue::Graphs(graphs.collect())
            }
            value => value.clone(),
        };
        Some(Attribute {
            name: given.name.clone(),
            value,
        })
    }

    fn call(
        &mut self,
        function: &'m Function,
        call: &'m Node,
        scope: &Scope<'m>,
        out: &mut Vec<Node>,
    ) {
        self.calls_count += 1;
        let prefix = format!("call{}/", self.calls_count);
        let defaults = function.defaults.iter().cloned();
        let given = call.attributes.iter();
        let given = given.filter_map(|given| self.attribute(given, scope));
        let attributes = defaults.chain(given);
        let attributes = attributes.map(|known| (known.name, known.value)).collect();
        let body = Scope {
            prefix,
            caller: match scope.caller {
                "" => &call.name,
                caller => caller,
            },
            bound: bound(function, call, scope, out),
            attributes,
            depth: scope.depth + 1,
        };
        self.nodes(&function.body.nodes, &body, out);
    }
}

/// Names that the call gives the body's inputs and outputs; an output that the body hands on as it
/// was given is made here.
fn bound<'m>(
    function: &'m Function,
    call: &Node,
    scope: &Scope<'m>,
    out: &mut Vec<Node>,
) -> HashMap<&'m str, String> {
    let given = scope.names(&call.inputs).into_iter();
    let inputs = function.inputs.iter().map(String::as_str);
    let given = inputs.zip(given.chain(std::iter::repeat(String::new())));
    let mut bound: HashMap<&str, String> = given.collect();
    let made = function.outputs.iter().zip(&call.outputs);
    for (name, made) in made.filter(|(_, made)| !made.is_empty()) {
        let made = scope.name(made);
        match bound.get(name.as_str()) {
            Some(passed) => out.push(Node {
                operator: "Identity".into(),
                inputs: vec![passed.clone()],
                outputs: vec![made],
                ..Node::default()
            }),
            None => drop(bound.insert(name, made)),
        }
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::testing::{function, nodes, parsed, with};

    fn plain(nodes: Vec<Node>, functions: Vec<Function>) -> Vec<Node> {
        let graph = Graph {
            nodes,
            ..Graph::default()
        };
        inlined(&Model {
            graph,
            functions,
            ..Model::default()
        })
        .nodes
    }

    fn wires(nodes: &[Node]) -> Vec<String> {
        let wire = |node: &Node| {
            format!(
                "{} {} > {}",
                node.operator,
                node.inputs.join(","),
                node.outputs.join(",")
            )
        };
        nodes.iter().map(wire).collect()
    }

    #[test]
    fn calls_within_calls_become_their_bodies_with_names_of_their_own() {
        let twice = nodes(&["t = own.Once a", "b = own.Once t"]);
        let once = nodes(&["t = Exp a", "b = Log t"]);
        let functions = vec![function("b = Twice a", twice), function("b = Once a", once)];
        let found = plain(vec![parsed("y = own.Twice x")], functions);
        let wanted = [
            "Exp x > call2/t",
            "Log call2/t > call1/t",
            "Exp call1/t > call3/t",
            "Log call3/t > y",
        ];
        assert_eq!(wires(&found), wanted);
    }

    #[test]
    fn attributes_by_reference_are_what_the_call_or_the_default_gives() {
        let integer = |value| AttributeValue::Integers(vec![value]);
        let mut inner = parsed("b = Softmax a");
        for (name, from) in [("axis", "dim"), ("kept", "other"), ("gone", "missing")] {
            inner = with(inner, name, AttributeValue::Reference(from.into()));
        }
        let mut soft = function("b = Soft a", vec![inner]);
        soft.defaults = vec![Attribute {
            name: "other".into(),
            value: integer(7),
        }];
        let call = parsed("y = own.Soft x dim=-1");
        let found = &plain(vec![call], vec![soft])[0];
        let values = ["axis", "kept"].map(|name| found.integer(name));
        assert_eq!(values, [Some(-1), Some(7)]);
        assert_eq!(found.attribute("gone"), None);
    }

    #[test]
    fn graphs_within_a_body_read_what_the_call_gives() {
        let branch = Graph {
            nodes: nodes(&["t = Neg a"]),
            ..Graph::default()
        };
        let conditional = with(
            parsed("b = If c"),
            "then_branch",
            AttributeValue::Graphs(vec![branch]),
        );
        let call = parsed("y = own.Maybe flag x");
        let found = plain(
            vec![call],
            vec![function("b = Maybe c a", vec![conditional])],
        );
        assert_eq!(wires(&found), ["If flag > y"]);
        assert_eq!(
            wires(&found[0].graphs().next().unwrap().nodes),
            ["Neg x > call1/t"]
        );
    }

    #[test]
    fn a_function_that_calls_itself_ends_as_a_call() {
        let again = function("b = Again a", nodes(&["b = own.Again a"]));
        let found = plain(nodes(&["y = own.Again x"]), vec![again]);
        assert_eq!(wires(&found), ["Again x > y"]);
    }

    #[test]
    fn what_is_left_out_or_handed_on_keeps_its_place() {
        let pick = function("a, c = Pick a b", nodes(&["c = Clip a b"]));
        let call = Node {
            outputs: vec!["same".into(), String::new()],
            ..parsed("y = own.Pick x")
        };
        let found = plain(vec![call], vec![pick]);
        assert_eq!(wires(&found), ["Identity x > same", "Clip x, > call1/c"]);
    }
}
