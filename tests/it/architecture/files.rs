//! Which file of `src/` uses which: its imports, and the paths in its code, each followed to the
//! file that defines the name.
//!
//! A re-export alone is no use: `mod.rs` may name what its files define, and they may use what it
//! defines itself.

use std::collections::{BTreeMap, BTreeSet};

/// Path of a module below the crate, such as `runner`, `run`, `time`.
type Module = Vec<String>;

/// How many re-exports may lead from a name to the file that defines it.
const MOST_REEXPORTS: usize = 8;

/// A name that a file takes in.
struct Import {
    name: String,
    /// Where it comes from, below the crate.
    path: Module,
    is_public: bool,
}

/// A source file.
struct File {
    name: String,
    imports: Vec<Import>,
    /// The code without imports.
    body: String,
}

/// The files of a crate by their modules.
pub(super) struct Files(BTreeMap<Module, File>);

impl Files {
    /// Of files below `src/`, by their names, and their code without comments and tests.
    pub(super) fn of(code: impl IntoIterator<Item = (String, Vec<String>)>) -> Files {
        let code: Vec<(String, Vec<String>)> = code.into_iter().collect();
        let modules: BTreeSet<Module> = code.iter().map(|(name, _)| module(name)).collect();
        let files = code.into_iter().map(|(name, lines)| {
            let own = module(&name);
            let (imports, body) = statements(&lines);
            let imports = imports
                .iter()
                .flat_map(|statement| imports_of(statement, &own, &modules))
                .collect();
            (
                own,
                File {
                    name,
                    imports,
                    body,
                },
            )
        });
        Files(files.collect())
    }

    /// Every file with the others that it uses, by their names.
    pub(super) fn uses(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let of = |(own, file): (&Module, &File)| {
            let mut used: BTreeSet<&str> = BTreeSet::new();
            let words: BTreeSet<&str> = file.body.split(|c: char| !is_of_word(c)).collect();
            let named = file
                .imports
                .iter()
                .filter(|one| !one.is_public || words.contains(one.name.as_str()));
            // A module that is imported is used by the paths that begin with it.
            used.extend(
                named
                    .filter(|one| !self.0.contains_key(&one.path))
                    .filter_map(|one| self.defining(&one.path, 0)),
            );
            let paths = paths(&file.body)
                .into_iter()
                .filter_map(|path| self.absolute(own, file, &path));
            used.extend(paths.filter_map(|path| self.defining(&path, 0)));
            used.remove(file.name.as_str());
            used
        };
        self.0
            .iter()
            .map(|one| (one.1.name.as_str(), of(one)))
            .collect()
    }

    /// A path in the code of a file, below the crate; absent where it begins with no module.
    fn absolute(&self, own: &Module, file: &File, path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        if let Some(import) = file.imports.iter().find(|import| import.name == *first) {
            return self
                .0
                .contains_key(&import.path)
                .then(|| [&import.path, rest].concat());
        }
        below_crate(path, own, |module| self.0.contains_key(module))
    }

    /// The file that defines what a path below the crate names.
    fn defining(&self, path: &[String], depth: usize) -> Option<&str> {
        let (file, rest) = (1..=path.len())
            .rev()
            .find_map(|length| Some((self.0.get(&path[..length])?, &path[length..])))?;
        let import = rest
            .first()
            .and_then(|name| file.imports.iter().find(|import| import.name == *name));
        match import.filter(|_| depth < MOST_REEXPORTS) {
            Some(import) => self
                .defining(&[&import.path, &rest[1..]].concat(), depth + 1)
                .or(Some(&file.name)),
            None => Some(&file.name),
        }
    }
}

/// Sets of files each of which uses every other one, by way of others.
pub(super) fn circles<'f>(
    uses: &BTreeMap<&'f str, BTreeSet<&'f str>>,
) -> BTreeSet<BTreeSet<&'f str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = uses
        .keys()
        .map(|file| (*file, reached(uses, file)))
        .collect();
    let circle = |file: &&'f str| -> BTreeSet<&'f str> {
        reached[file]
            .iter()
            .copied()
            .filter(|other| reached[other].contains(file))
            .collect()
    };
    uses.keys()
        .map(circle)
        .filter(|circle| circle.len() > 1)
        .collect()
}

/// What a file uses, and what that uses, and so on.
fn reached<'f>(uses: &BTreeMap<&'f str, BTreeSet<&'f str>>, from: &'f str) -> BTreeSet<&'f str> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        open.extend(
            uses[file]
                .iter()
                .copied()
                .filter(|other| found.insert(*other)),
        );
    }
    found
}

/// `runner/run/time.rs` is `runner`, `run`, `time`; a `mod.rs` is its folder.
fn module(name: &str) -> Module {
    let path = name.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The imports of a file, each on one line and without what stands around its tree, and the rest of
/// its code.
fn statements(lines: &[String]) -> (Vec<(bool, String)>, String) {
    let mut imports: Vec<(bool, String)> = Vec::new();
    let (mut body, mut is_open) = (String::new(), false);
    for line in lines {
        let text = line.trim();
        let visible = if text.starts_with("pub") {
            text.split_once("use ").map(|(before, _)| before)
        } else {
            Some("")
        };
        let is_import = visible.is_some_and(|before| {
            text[before.len()..].starts_with("use ")
                && (before.is_empty() || before.trim_end().ends_with(['b', ')']))
        });
        if is_import {
            imports.push((text.starts_with("pub"), String::new()));
            is_open = true;
        }
        if is_open {
            let part = if is_import {
                text.split_once("use ").map_or("", |(_, tree)| tree)
            } else {
                text
            };
            imports
                .last_mut()
                .unwrap()
                .1
                .push_str(part.trim_end_matches(';'));
            is_open = !text.ends_with(';');
        } else {
            body.push_str(line);
            body.push('\n');
        }
    }
    (imports, body)
}

fn imports_of(
    (is_public, tree): &(bool, String),
    own: &Module,
    modules: &BTreeSet<Module>,
) -> Vec<Import> {
    let import = |leaf: String| {
        let (path, name) = leaf
            .split_once(" as ")
            .map_or((leaf.as_str(), None), |(path, name)| (path, Some(name)));
        let path: Module = path
            .split("::")
            .map(|part| part.trim().to_owned())
            .collect();
        let mut path = below_crate(&path, own, |module| modules.contains(module))?;
        if path
            .last()
            .is_some_and(|last| last == "self" || last == "*")
        {
            path.pop();
        }
        let name = name.or(path.last().map(String::as_str))?.to_owned();
        Some(Import {
            name,
            path,
            is_public: *is_public,
        })
    };
    leaves(tree).into_iter().filter_map(import).collect()
}

/// A path that a file writes, below the crate; absent where it begins outside of it.
fn below_crate(
    path: &[String],
    own: &Module,
    is_module: impl Fn(&Module) -> bool,
) -> Option<Module> {
    let supers = path.iter().take_while(|part| *part == "super").count();
    let child = || Some([own, &path[..1]].concat()).filter(|child| is_module(child));
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([own, &path[1..]].concat()),
        "super" => Some([own.get(..own.len().checked_sub(supers)?)?, &path[supers..]].concat()),
        _ => child().map(|_| [own, path].concat()),
    }
}

/// The single paths of a tree: `a::{b, c::{d, e}}` is `a::b`, `a::c::d` and `a::c::e`.
fn leaves(tree: &str) -> Vec<String> {
    let Some((prefix, group)) = tree.split_once('{') else {
        return vec![tree.trim().to_owned()];
    };
    let group = group.trim_end().trim_end_matches('}');
    // What was cut at the end too much closed a group within.
    let missing = group
        .matches('{')
        .count()
        .saturating_sub(group.matches('}').count());
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in group.chars().chain(std::iter::repeat_n('}', missing)) {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match c {
            ',' if depth == 0 => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(c),
        }
    }
    let parts = parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty());
    parts
        .flat_map(leaves)
        .map(|leaf| format!("{}{leaf}", prefix.trim()))
        .collect()
}

/// Paths of two names or more in code: `a::b` and `crate::a::B::c`.
fn paths(body: &str) -> Vec<Module> {
    let is_apart = |c: char| !is_of_word(c) && c != ':';
    // A visibility names a module, and uses nothing of it.
    let code = body
        .split("pub(in ")
        .map(|part| part.trim_start_matches(|c| is_of_word(c) || c == ':'));
    let words = code
        .flat_map(|part| part.split(is_apart))
        .filter(|word| word.contains("::") && !word.starts_with("::"));
    words
        .map(|word| word.split("::").map(str::to_owned).collect())
        .collect()
}

fn used_by(files: &[(&str, &str)]) -> Vec<(String, Vec<String>)> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect();
    let files = Files::of(
        files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), lines(text))),
    );
    let owned = |names: BTreeSet<&str>| names.into_iter().map(str::to_owned).collect();
    files
        .uses()
        .into_iter()
        .map(|(name, used)| (name.to_owned(), owned(used)))
        .collect()
}

#[test]
fn names_are_followed_to_the_files_that_define_them() {
    let text = "use crate::b::{\n    self,\n    c::{D as E, F},\n    G,\n};\nuse std::fmt;\nfn f() { b::h(E); super::b::d::I; }";
    let found = used_by(&[
        ("a.rs", text),
        (
            "b/mod.rs",
            "mod c;\npub mod d;\npub use c::h;\npub(crate) use d::G;\nstruct J;",
        ),
        ("b/c.rs", "pub struct D;"),
        ("b/d.rs", "use super::J;"),
    ]);
    let of = |name: &str, used: &[&str]| {
        (
            name.to_owned(),
            used.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>(),
        )
    };
    let expected = [
        of("a.rs", &["b/c.rs", "b/d.rs"]),
        of("b/c.rs", &[]),
        of("b/d.rs", &["b/mod.rs"]),
        of("b/mod.rs", &[]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn files_that_use_each_other_are_a_circle() {
    let uses = BTreeMap::from([
        ("a", BTreeSet::from(["b"])),
        ("b", BTreeSet::from(["c"])),
        ("c", BTreeSet::from(["a", "d"])),
        ("d", BTreeSet::from(["e"])),
        ("e", BTreeSet::from(["f"])),
        ("f", BTreeSet::from(["e"])),
        ("g", BTreeSet::from(["a"])),
    ]);
    let expected = [BTreeSet::from(["a", "b", "c"]), BTreeSet::from(["e", "f"])];
    assert_eq!(circles(&uses), BTreeSet::from(expected));
}
