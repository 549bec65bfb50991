//! What is taken for a secret, and what is not.

use super::*;

fn check(key: &str, value: &str) -> bool {
    looks_secret(&EnvKey::new(key).unwrap(), value)
}

#[test]
fn a_variable_is_taken_for_a_secret_by_its_words_or_its_url() {
    for key in ["STRIPE_KEY", "SECRET_KEY_BASE", "db_password", "GITHUB_TOKEN", "JWT-SECRET"] {
        assert!(check(key, "x"), "{key}");
    }
    assert!(check("DATABASE_URL", "postgres://shop:hunter2@db/shop"));
}

#[test]
fn a_key_is_telling_without_a_blank_before_the_word_too() {
    for key in [
        "PGPASS",
        "PGPASSWORD",
        "ME_CONFIG_MONGODB_ADMINPASSWORD",
        "dbpassword",
        "MYPWD",
        "HTPASSWD",
        "JDBC_PW",
        "FLOWER_BASIC_AUTH",
        "CRED",
        "AWS_CREDS",
    ] {
        assert!(check(key, "x1"), "{key}");
    }
    for (key, value) in [
        ("PASSWORD_RESET_DISABLED", "x"),
        ("PASSWORD_RESET_ATTEMPTS", "3"),
        ("REQUIRE_AUTH", "true"),
        ("SHOW_PASSWORD", "no"),
        ("AUTH", "basic"),
        ("BYPASS", "x"),
        ("SSH_ASKPASS", "/bin/askpass"),
    ] {
        assert!(!check(key, value), "{key}");
    }
    assert!(check("DB_PASSWORD", "123456"));
    assert_eq!(
        concealed("see https://hooks.slack.com/services/T0/B0/xyz now"),
        "see https://hooks.slack.com/services/(secret) now"
    );
}

#[test]
fn what_only_speaks_of_secrets_stays_readable() {
    for key in ["TOKEN_TTL", "PASSWORD_MIN_LENGTH", "STRIPE_PUBLIC_KEY", "MONKEY", "LOG_LEVEL"] {
        assert!(!check(key, "x"), "{key}");
    }
    assert!(!check("HOME_URL", "https://acme.dev/a:b@c"));
    assert!(!check("DATABASE_URL", "postgres://db/shop"));
}

#[test]
fn of_a_url_the_password_is_never_shown_and_of_a_web_address_not_even_the_user() {
    for (text, shown) in [
        ("https://oauth2:hunter2@git.dev/a.git", "https://(secret)@git.dev/a.git"),
        ("see HTTPS://t0ken@git.dev/a, please", "see HTTPS://(secret)@git.dev/a, please"),
        ("postgres://shop:hunter2@db/shop", "postgres://shop:(secret)@db/shop"),
        ("amqp://a:p/w:@x@mq:5672", "amqp://a:(secret)@mq:5672"),
        ("'redis://:hunter2@r' and a@b", "'redis://:(secret)@r' and a@b"),
        ("ssh://git@host/a", "ssh://git@host/a"),
        ("https://host:8443/a@b", "https://host:8443/a@b"),
        ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
        ("postgres://shop:$PASSWORD@db", "postgres://shop:$PASSWORD@db"),
    ] {
        assert_eq!(concealed(text), shown);
    }
}

#[test]
fn what_a_command_is_told_under_a_telling_name_is_not_shown() {
    for (text, shown) in [
        ("run --password=hunter2 --port=80", "run --password=(secret) --port=80"),
        ("run --db-password 'hunter 2' -v", "run --db-password '(secret)' -v"),
        ("API_KEY=\"hunter 2\" ./run", "API_KEY=\"(secret)\" ./run"),
        ("java -Ddb.password=hunter2 -jar a", "java -Ddb.password=(secret) -jar a"),
        ("run --dbPassword=hunter2", "run --dbPassword=(secret)"),
        ("curl -u me:hunter2 h", "curl -u me:(secret) h"),
        ("-H 'Authorization: Bearer abc123def'", "-H 'Authorization: Bearer (secret)'"),
        ("https://h/a?token=hunter2&b=1", "https://h/a?token=(secret)&b=1"),
        (r#"{"apiKey": "hunter2", "b": 1}"#, r#"{"apiKey": "(secret)", "b": 1}"#),
        ("run --password=$DB_PASSWORD", "run --password=$DB_PASSWORD"),
        ("run --password-file=/run/secret", "run --password-file=/run/secret"),
        ("run --token --verbose", "run --token --verbose"),
        ("password: must be longer", "password: must be longer"),
        ("a bearer token is missing", "a bearer token is missing"),
        ("if key == 3", "if key == 3"),
    ] {
        assert_eq!(concealed(text), shown);
    }
}

#[test]
fn a_token_of_a_known_form_is_a_secret_under_any_name() {
    let text = "a".repeat(40);
    for token in [
        format!("ghp_{text}"),
        format!("glpat-{text}"),
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        format!("xoxb-{text}"),
        format!("sk_live_{text}"),
        "sb_live_0123456789".to_owned(),
        format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{text}"),
        format!("-----BEGIN RSA PRIVATE KEY-----\n{text}\n"),
    ] {
        assert!(check("LOG_LEVEL", &token), "{token}");
        assert_eq!(concealed(&format!("it is {token}")), "it is (secret)");
    }
    for harmless in ["AKIA", "sk_live_", "eyJ", "a.b.c", "-----BEGIN CERTIFICATE-----", "npm_x"] {
        assert!(!check("LOG_LEVEL", harmless), "{harmless}");
    }
}

#[test]
fn what_was_struck_out_is_left_as_it_is() {
    let text = "https://a:b@h --token=x PASSWORD='y z' ghp_aaaaaaaaaaaaaaaaaaaaaaaa";
    let once = concealed(text).into_owned();
    assert_eq!(concealed(&once), once);
}
