//! Lists in pages (A1), and the ways in which a list moves while it is read.

use serde_json::{Value, json};

use super::choice::{Kind, Times};
use super::config::EmulatorConfig;
use super::fault::Fault;
use super::forms::Written;
use super::problem::ApiProblem;
use super::shelf::ReadMoment;
use super::world::{Reply, World};

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Listed<'a> {
    Things(Kind),
    /// Of the service with this id.
    Deployments(&'a str),
    Members,
}

/// How a read departs from the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lens {
    pub(crate) view: ReadMoment,
    shift: Shift,
    page_ignored: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shift {
    None,
    Repeat,
    Vanish,
}

/// Which items a page holds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Page {
    number: usize,
    size: usize,
}

impl Lens {
    pub(crate) fn new(fault: Option<&Fault>, now: u64) -> Self {
        let mut lens = Self { view: ReadMoment::of(now), shift: Shift::None, page_ignored: false };
        match fault {
            Some(Fault::Stale(age)) => lens.view = ReadMoment::of(now.saturating_sub(*age)),
            Some(Fault::HideNew(age)) => lens.view.born_by = now.saturating_sub(*age),
            Some(Fault::ShiftRepeat) => lens.shift = Shift::Repeat,
            Some(Fault::ShiftVanish) => lens.shift = Shift::Vanish,
            Some(Fault::PageIgnored) => lens.page_ignored = true,
            _ => {}
        }
        lens
    }
}

impl Listed<'_> {
    fn plural(self) -> &'static str {
        match self {
            Self::Things(Kind::Service) => "services",
            Self::Things(Kind::Database) => "databases",
            Self::Things(Kind::EnvGroup) => "envgroups",
            Self::Deployments(_) => "deployments",
            Self::Members => "members",
        }
    }
}

impl World {
    /// Lists one page.
    pub(crate) fn list(
        &mut self,
        listed: Listed<'_>,
        query: &[(String, String)],
        lens: Lens,
    ) -> Result<Reply, ApiProblem> {
        let forms = self.config.forms;
        let page = read_page(query, &self.config)?;
        let count = self.count(listed, lens.view)?;
        let range = self.range(listed, page, count, lens);
        let number = if lens.page_ignored { 1 } else { page.number };
        let next = (range.1 < count).then(|| number + 1);
        let mut items = self.items(listed, lens.view, range);
        if self.config.times == Times::NotListed {
            items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| {
                item.shift_remove("created_at");
            });
        }
        let page = number - (1 - forms.first_page());
        let written = Written { plural: listed.plural(), items, total: count, page, next };
        Ok(Reply::json(200, forms.list(written)))
    }

    /// Returns the first item of a page and the end of it.
    fn range(
        &mut self,
        listed: Listed<'_>,
        page: Page,
        count: usize,
        lens: Lens,
    ) -> (usize, usize) {
        if lens.page_ignored {
            return (0, page.size);
        }
        let start = (page.number - 1).saturating_mul(page.size);
        let end = start.saturating_add(page.size);
        match lens.shift {
            Shift::Repeat if page.number > 1 => (start - 1, end - 1),
            Shift::Vanish if page.number > 1 => {
                if let Listed::Things(kind) = listed
                    && (start..end).contains(&count.saturating_sub(1))
                {
                    self.pass_by(kind, lens.view.at);
                }
                (start.saturating_add(1), end.saturating_add(1))
            }
            Shift::None | Shift::Repeat | Shift::Vanish => (start, end),
        }
    }

    fn count(&self, listed: Listed<'_>, view: ReadMoment) -> Result<usize, ApiProblem> {
        Ok(match listed {
            Listed::Things(Kind::Service) => self.services.seen(view).count(),
            Listed::Things(Kind::Database) => self.databases.seen(view).count(),
            Listed::Things(Kind::EnvGroup) => self.groups.seen(view).count(),
            Listed::Deployments(id) => {
                let service = self.services.get(id, view);
                service.ok_or_else(|| ApiProblem::missing("service", id))?.deployments.len()
            }
            Listed::Members => self.config.members.len(),
        })
    }

    fn items(
        &self,
        listed: Listed<'_>,
        view: ReadMoment,
        (start, end): (usize, usize),
    ) -> Vec<Value> {
        let Self { config, .. } = self;
        let fields = &config.list_fields;
        let taken = end.saturating_sub(start);
        match listed {
            Listed::Things(Kind::Service) => {
                let page = self.services.seen(view).skip(start).take(taken);
                page.map(|one| one.show(config, fields.services, view.at)).collect()
            }
            Listed::Things(Kind::Database) => {
                let page = self.databases.seen(view).skip(start).take(taken);
                page.map(|one| one.show(config, fields.databases, view.at)).collect()
            }
            Listed::Things(Kind::EnvGroup) => {
                let page = self.groups.seen(view).skip(start).take(taken);
                page.map(|one| one.show(config, fields.env_groups)).collect()
            }
            Listed::Deployments(id) => {
                let service = self.services.get(id, view).into_iter();
                // Newest first: the list is read to learn what happened last.
                let page = service.flat_map(|one| one.deployments.iter().rev());
                page.skip(start).take(taken).map(|one| one.summary(view.at)).collect()
            }
            Listed::Members => {
                let page = config.members.iter().enumerate().skip(start).take(taken);
                page.map(|(index, member)| {
                    json!({
                        "id": format!("usr_{index}"),
                        "name": member.name,
                        "email": member.email,
                        "role": member.role,
                    })
                })
                .collect()
            }
        }
    }

    /// Creates what somebody else creates while a list is read.
    fn pass_by(&mut self, kind: Kind, now: u64) {
        let name = self.random.identifier("passer-by");
        let body = match kind {
            Kind::Service => json!({"name": name, "type": self.config.type_names.web}),
            Kind::Database => json!({"name": name, "type": "postgresql"}),
            Kind::EnvGroup => json!({"name": name}),
        };
        // A full quota leaves the list one item short, which is a fault as well.
        drop(self.act(&super::act::Act::Create { kind, body }, now));
    }
}

fn read_page(query: &[(String, String)], config: &EmulatorConfig) -> Result<Page, ApiProblem> {
    let EmulatorConfig { paging, forms, .. } = config;
    let least = |name: &str| if name == "page" { forms.first_page() } else { 1 };
    let asked = |name: &str| match query.iter().find(|(key, _)| key == name) {
        None => Ok(None),
        Some((_, text)) => match text.parse::<usize>() {
            Ok(number) if number >= least(name) => Ok(Some(number)),
            _ => {
                let least = least(name);
                Err(ApiProblem::invalid(format!("{name} must be a whole number from {least}")))
            }
        },
    };
    let number = asked(forms.page_param())?.map_or(1, |page| match forms.page_param() {
        "page" => page.saturating_add(1 - forms.first_page()),
        _ => page,
    });
    let size = match asked("per_page")? {
        Some(size) if paging.per_page => size.min(paging.size_max as usize),
        Some(_) | None => paging.size as usize,
    };
    Ok(Page { number, size: size.max(1) })
}
