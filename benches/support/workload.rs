//! Workloads: manifests of any size as text, the same for the same numbers.

use std::fmt::Write as _;

/// How many of each kind.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Services; one in ten is cron, two in ten are workers.
    pub services: usize,
    /// Databases; services refer to them in turn.
    pub databases: usize,
    /// Env groups; services use them in turn.
    pub groups: usize,
}

impl Workload {
    /// A mixture of about this many documents: eight in ten are services.
    #[must_use]
    pub const fn of(documents: usize) -> Self {
        let groups = documents / 20;
        let databases = documents * 3 / 20;
        Self { services: documents - databases - groups, databases, groups }
    }

    /// Returns the manifests as one file of several documents.
    #[must_use]
    pub fn text(self) -> String {
        let mut text = String::new();
        for index in 0..self.groups {
            group(&mut text, index);
        }
        for index in 0..self.databases {
            database(&mut text, index);
        }
        for index in 0..self.services {
            self.service(&mut text, index);
        }
        text
    }

    fn service(self, text: &mut String, index: usize) {
        let kind = match index % 10 {
            0 => "cron",
            1 | 2 => "worker",
            _ => "web",
        };
        head(text, "Service", &format!("service-{index}"));
        let mut line = |line: &str| text.push_str(&format!("{line}\n"));
        line("spec:");
        line(&format!("  type: {kind}\n  runtime: node\n  repo: github.com/acme/service-{index}"));
        line("  branch: main\n  plan: standard\n  buildCommand: npm ci && npm run build");
        line("  startCommand: node dist/index.js");
        match kind {
            "cron" => line("  schedule: \"0 2 * * *\""),
            "web" => line("  port: 3000\n  healthCheckPath: /health"),
            _ => {}
        }
        line("  scaling: { minInstances: 1, maxInstances: 4 }");
        if self.groups > 0 {
            line(&format!("  envGroups: [group-{}]", index % self.groups));
        }
        line("  envVars:\n    - { key: NODE_ENV, value: production }");
        if self.databases > 0 {
            let database = index % self.databases;
            line("    - key: DATABASE_URL");
            line(&format!(
                "      fromDatabase: {{ name: database-{database}, property: connectionString }}"
            ));
        }
    }
}

fn head(text: &mut String, kind: &str, name: &str) {
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        "---\napiVersion: stackblaze.cloud/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\n"
    );
}

fn database(text: &mut String, index: usize) {
    head(text, "Database", &format!("database-{index}"));
    text.push_str("spec: { type: postgres, version: \"16\", plan: standard, storageGB: 10 }\n");
}

fn group(text: &mut String, index: usize) {
    head(text, "EnvGroup", &format!("group-{index}"));
    text.push_str("spec:\n  envVars:\n    - { key: LOG_LEVEL, value: info }\n");
}
