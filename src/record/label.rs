//! Names of sessions.

use std::path::Path;

use super::{RunRecord, RuntimeInfo, VariantRecord};
use crate::plan::{Binding, SessionSpec};
use crate::provider;
use crate::text::Plain;

impl RunRecord {
    /// The variant's name, followed by what tells this session from the variant's other ones.
    #[must_use]
    pub fn session_label(&self, session: usize) -> String {
        let spec = &self.plan.sessions[session];
        let others = self.others(spec);
        let one = Marked {
            spec,
            others: &others,
        };
        let marks: Vec<String> = self.marks(&one).into_iter().flatten().collect();
        let name = self.plan.variant_of(session).name.exact();
        if marks.is_empty() {
            name.to_owned()
        } else {
            format!("{name} ({})", marks.join(", "))
        }
    }

    /// The sessions of the same variant that one is told from: of a search, those that it began
    /// with, since what it changes is told by how it differs from these.
    fn others(&self, spec: &SessionSpec) -> Vec<&SessionSpec> {
        let sessions = &self.plan.sessions;
        let tuning = self.plan.tuning.as_ref();
        let compared = tuning.map_or(sessions.len(), |tuning| tuning.base_sessions_count);
        sessions
            .iter()
            .take(compared)
            .filter(|other| other.variant == spec.variant)
            .collect()
    }

    /// Marks that tell a session from others, in the order in which it is said.
    fn marks(&self, one: &Marked<'_>) -> [Option<String>; 10] {
        [
            one.told(|spec| spec.execution_provider.clone())
                .map(|name| provider::short_name(name.exact())),
            one.told(|spec| spec.runtime.clone())
                .map(|_| self.runtime_name(one.spec)),
            one.told(|spec| spec.binding)
                .map(|it| binding(it).to_owned()),
            one.told_option(|spec| spec.options.intra_threads)
                .map(|count| threads(count, "intra-op")),
            one.told_option(|spec| spec.options.inter_threads)
                .map(|count| threads(count, "inter-op")),
            one.told_option(|spec| spec.options.graph_optimization)
                .map(|level| format!("optimization {level:?}").to_lowercase()),
            one.told_option(|spec| spec.options.execution_mode)
                .map(|mode| format!("{mode:?} execution").to_lowercase()),
            one.told_option(|spec| spec.options.allow_spinning)
                .map(|is_on| switch("spinning", is_on)),
            one.told_option(|spec| spec.options.memory_arena)
                .map(|is_on| switch("arena", is_on)),
            one.told_option(|spec| spec.options.memory_pattern)
                .map(|is_on| switch("memory pattern", is_on)),
        ]
    }

    /// The variant that a session runs, as it was found.
    #[must_use]
    pub fn variant_of(&self, session: usize) -> &VariantRecord {
        &self.variants[self.plan.sessions[session].variant]
    }

    /// The runtime of a session; `None` if it was never opened.
    #[must_use]
    pub fn runtime_of(&self, session: usize) -> Option<&RuntimeInfo> {
        let path = self.plan.sessions[session].runtime.path();
        self.runtimes.iter().find(|runtime| runtime.path == *path)
    }

    /// The mark of a runtime among others: its version, else its version and build, else its file.
    fn runtime_name(&self, spec: &SessionSpec) -> String {
        let path = spec.runtime.path();
        let Some(own) = self.runtimes.iter().find(|runtime| runtime.path == *path) else {
            return file_name(path);
        };
        if spec.is_scripted() {
            return file_name(path);
        }
        let names: [fn(&RuntimeInfo) -> String; 2] = [
            |runtime| runtime.version.exact().to_owned(),
            version_and_build,
        ];
        names
            .iter()
            .find(|name| {
                self.runtimes
                    .iter()
                    .filter(|other| name(other) == name(own))
                    .count()
                    == 1
            })
            .map_or_else(|| path.display().to_string(), |name| name(own))
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// A session among others of its variant.
struct Marked<'a> {
    spec: &'a SessionSpec,
    others: &'a [&'a SessionSpec],
}

impl Marked<'_> {
    /// Its value, where it tells it from another one.
    fn told<T: PartialEq>(&self, value: impl Fn(&SessionSpec) -> T) -> Option<T> {
        let own = value(self.spec);
        self.others
            .iter()
            .any(|other| value(other) != own)
            .then_some(own)
    }

    /// The same of an option, which sessions in a server have none of.
    fn told_option<T: PartialEq>(&self, value: impl Fn(&SessionSpec) -> T) -> Option<T> {
        let own = value(self.spec);
        let mut others = self.others.iter().filter(|other| !other.is_remote());
        (!self.spec.is_remote() && others.any(|other| value(other) != own)).then_some(own)
    }
}

fn threads(count: u64, kind: &str) -> String {
    format!("{count} {kind} thread{}", if count == 1 { "" } else { "s" })
}

/// The word for an option that is on, off or left to the library.
fn switch(name: &str, value: Option<bool>) -> String {
    match value {
        Some(true) => name.to_owned(),
        Some(false) => format!("no {name}"),
        None => format!("default {name}"),
    }
}

fn version_and_build(runtime: &RuntimeInfo) -> String {
    format!(
        "{} {}",
        runtime.version.exact(),
        provider::build_with(runtime.execution_providers.iter().map(Plain::exact))
    )
}

fn binding(binding: Binding) -> &'static str {
    match binding {
        Binding::Host => "host-bound",
        Binding::Device => "device-bound",
    }
}
