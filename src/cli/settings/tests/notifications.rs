//! Notifications that cannot be used, each said with its place.

use super::refused;

#[test]
fn what_no_receiver_would_take_is_said_with_its_place() {
    for (file, said) in [
        (
            "notifications:\n- type: webhook\n  url: https://hooks.dev/a\n  body: '{\"text\": {{ mesage }} }'\n",
            "stoker.yaml:2:3: error[setting]: `body`: the template:",
        ),
        (
            "notifications:\n- type: webhook\n  url: https://hooks.dev/a\n  body: hello\n",
            "`body`: the result of the template is not JSON",
        ),
        (
            "notifications:\n- type: teams\n  urlEnv: A\n  tell: [failed, fixed]\n",
            "unknown variant `fixed`, expected one of `pending`, `held`,",
        ),
        ("notifications:\n- type: discord\n  urlEnv: A\n  tell: []\n", "`tell` is empty"),
        (
            "notifications:\n- type: pagerduty\n  keyEnv: A\n  tell: [succeeded]\n",
            "an event such as `succeeded` raises no alarm",
        ),
        (
            "notifications:\n- type: alertmanager\n  url: https://a.dev\n  labels: {a-b: c}\n",
            "`labels`: `a-b` is not a label name",
        ),
        (
            "notifications:\n- type: mail\n  server: mail.dev\n  from: a@b.dev\n  to: [c@d.dev]\n",
            "`server`: it is not an address such as smtps://mail.example.com",
        ),
        (
            "notifications:\n- type: mail\n  server: smtps://mail.dev\n  from: nobody\n  to: [c@d.dev]\n",
            "`from`: `nobody` is not an e-mail address",
        ),
        (
            "notifications:\n- type: mail\n  server: smtps://mail.dev\n  from: a@b.dev\n  to: [c@d.dev]\n  user: a\n",
            "`passwordEnv` or `passwordFile` is missing",
        ),
    ] {
        let got = refused("", file);
        assert!(got.contains(said), "{file}\n{got}");
    }
}
