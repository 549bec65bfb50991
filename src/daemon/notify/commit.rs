//! A notice as the status of its commit, on GitHub, GitLab, Gitea and Forgejo.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::notice::{Notice, ProjectOutcome};
use super::request::{line, post, secret_header};
use super::sink::{CommitTarget, Forge};

/// GitHub's limit on a description; the others take more.
const DESCRIPTION_CHARS_MAX: usize = 140;

/// The version of GitHub's API this is written against.
const GITHUB_VERSION: &str = "2022-11-28";

/// Makes the request.
pub(super) fn request(
    at: &CommitTarget,
    token: &SecretString,
    link: Option<&str>,
    notice: &Notice,
) -> Result<http::Request<Bytes>, http::Error> {
    let commit = notice.revision.commit.as_deref().unwrap_or_default();
    let context = format!("stoker/{}", notice.project);
    let message = format!("{}: {}", notice.reason, notice.message);
    let mut body = json!({
        "state": state(at.forge, notice.outcome),
        "description": line(&message, DESCRIPTION_CHARS_MAX),
    });
    let name = match at.forge {
        Forge::Github | Forge::Gitea => "context",
        Forge::Gitlab => "name",
    };
    body[name] = json!(context);
    if let Some(link) = link {
        body["target_url"] = json!(link);
    }
    let whole_path = at.repository.join("/");
    let mut segments = Vec::new();
    match at.forge {
        Forge::Github | Forge::Gitea => {
            segments.push("repos");
            segments.extend(at.repository.iter().map(String::as_str));
        }
        Forge::Gitlab => segments.extend(["projects", &whole_path]),
    }
    segments.extend(["statuses", commit]);
    let mut request = post(&at.api.below(&segments)?, &body)?;
    let headers = request.headers_mut();
    if at.forge == Forge::Github {
        headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        headers.insert("x-github-api-version", HeaderValue::from_static(GITHUB_VERSION));
    }
    let (header, value) = right(at.forge, token)?;
    headers.insert(header, value);
    Ok(request)
}

/// Returns the header that carries the token.
fn right(forge: Forge, token: &SecretString) -> Result<(HeaderName, HeaderValue), http::Error> {
    let token = token.expose_secret();
    let (header, value) = match forge {
        Forge::Github => (AUTHORIZATION, format!("Bearer {token}")),
        Forge::Gitlab => (HeaderName::from_static("private-token"), token.to_owned()),
        Forge::Gitea => (AUTHORIZATION, format!("token {token}")),
    };
    Ok((header, secret_header(value)?))
}

/// Returns the forge's word. Drift leaves the commit carried out, so it is no failure of it.
const fn state(forge: Forge, outcome: ProjectOutcome) -> &'static str {
    match (outcome, forge) {
        (ProjectOutcome::Pending | ProjectOutcome::Held, _) => "pending",
        (
            ProjectOutcome::Succeeded
            | ProjectOutcome::Drifted
            | ProjectOutcome::Repaired
            | ProjectOutcome::RolledBack,
            _,
        ) => "success",
        (ProjectOutcome::Failed | ProjectOutcome::Broken, Forge::Gitlab) => "failed",
        (ProjectOutcome::Failed, Forge::Github | Forge::Gitea) => "failure",
        (ProjectOutcome::Broken, Forge::Github | Forge::Gitea) => "error",
    }
}
