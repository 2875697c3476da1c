//! What a session is called.

use super::{RunRecord, RuntimeInfo};
use crate::plan::{Binding, SessionSpec};
use crate::provider;

impl RunRecord {
    /// The variant's name, followed by what tells this session from the variant's other ones.
    #[must_use]
    pub fn session_label(&self, session: usize) -> String {
        let spec = &self.plan.sessions[session];
        // What a search changes is told by how it differs from what the search began with.
        let compared = self.plan.tuning.as_ref().map_or(self.plan.sessions.len(), |tuning| tuning.base_sessions_count);
        let others = self.plan.sessions.iter().take(compared).filter(|other| other.variant == spec.variant);
        let others: Vec<&SessionSpec> = others.collect();
        let mut marks = Vec::new();
        let mut mark = |differs: fn(&SessionSpec, &SessionSpec) -> bool, text: &dyn Fn() -> String| {
            if others.iter().any(|other| differs(spec, other)) {
                marks.push(text());
            }
        };
        let options = &spec.options;
        mark(|one, other| one.execution_provider != other.execution_provider, &|| {
            provider::short_name(&spec.execution_provider)
        });
        mark(|one, other| one.runtime != other.runtime, &|| self.runtime_name(spec));
        mark(|one, other| one.binding != other.binding, &|| binding(spec.binding).to_owned());
        mark(|one, other| one.options.intra_threads != other.options.intra_threads, &|| {
            threads(options.intra_threads, "intra-op")
        });
        mark(|one, other| one.options.inter_threads != other.options.inter_threads, &|| {
            threads(options.inter_threads, "inter-op")
        });
        mark(|one, other| one.options.graph_optimization != other.options.graph_optimization, &|| {
            format!("optimization {:?}", options.graph_optimization).to_lowercase()
        });
        mark(|one, other| one.options.execution_mode != other.options.execution_mode, &|| {
            format!("{:?} execution", options.execution_mode).to_lowercase()
        });
        mark(|one, other| one.options.allow_spinning != other.options.allow_spinning, &|| {
            switch("spinning", options.allow_spinning)
        });
        mark(|one, other| one.options.memory_arena != other.options.memory_arena, &|| {
            switch("arena", options.memory_arena)
        });
        mark(|one, other| one.options.memory_pattern != other.options.memory_pattern, &|| {
            switch("memory pattern", options.memory_pattern)
        });
        let name = &self.plan.variant_of(session).name;
        if marks.is_empty() { name.clone() } else { format!("{name} ({})", marks.join(", ")) }
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
        let file = || path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let Some(own) = self.runtimes.iter().find(|runtime| runtime.path == *path) else { return file() };
        if spec.is_scripted() {
            return file();
        }
        let names: [fn(&RuntimeInfo) -> String; 2] = [|runtime| runtime.version.clone(), version_and_build];
        let is_unique = |name: &fn(&RuntimeInfo) -> String| {
            self.runtimes.iter().filter(|other| name(other) == name(own)).count() == 1
        };
        names.iter().find(|name| is_unique(name)).map_or_else(|| path.display().to_string(), |name| name(own))
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
    format!("{} {}", runtime.version, provider::build_with(&runtime.execution_providers))
}

fn binding(binding: Binding) -> &'static str {
    match binding {
        Binding::Host => "host-bound",
        Binding::Device => "device-bound",
    }
}
