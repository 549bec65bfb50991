//! What each setting of the dialect means, in one line.

/// What `doctor` prints: key, assumption, meaning.
pub(super) const ABOUT: [(&str, &str, &str); 23] = [
    ("page_param", "A1", "query parameter that asks for a page; none: a list is one page"),
    ("page_first", "A1", "number of the first page, 1 or 0"),
    ("per_page_param", "A1", "query parameter that asks for a page's size"),
    ("per_page", "A1", "page size to ask for; a hint"),
    ("cursor_field", "A1", "field of a list that names the next page; none: pages have numbers"),
    ("cursor_param", "A1", "query parameter that asks for the page of a name"),
    ("list_form", "A1", "object: a list holds its items; array: it is the items"),
    ("total_field", "A1", "field of a list with the number of items on all pages"),
    ("total_required", "A1", "true: a list without a total is incomplete; false: read until empty"),
    ("list_keys", "A1", "list_keys.services=…: key of a list, where it is not the plural"),
    ("envelope", "A2", "field in which every good answer stands; none: answers come bare"),
    ("wrapper", "A2", "true: bodies of writes are wrapped in the singular name"),
    ("field_names", "A3", "field_names.healthCheckPath=…: the API's name of a setting"),
    ("not_found", "A25", "code: a 404 proves with an error.code; status: with any JSON object"),
    ("env_patch", "A5", "merge: variables are upserted; replace: the list replaces the old one"),
    ("deploy_after_patch", "A6", "true: a changed service is deployed with a request of its own"),
    ("names_unique", "A8", "whether the API refuses a second thing with one name"),
    ("names_kept", "A22", "true: a name is shown as it was sent; false: that is not proven"),
    ("type_names", "A13", "type_names.web=…: the API's word for a type of service"),
    ("env_groups", "A14", "id or name: how a service names its env groups"),
    ("resolve_references", "A17", "platform or agent: who resolves fromDatabase and fromService"),
    ("rename", "A18", "patch: a PATCH of the name renames; unsupported: nothing does"),
    ("platform_env", "A26", "variables the platform puts on: PORT,STACKBLAZE_*; none is `none`"),
];
