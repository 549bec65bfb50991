//! No secret of a file is written, and none is shown.

use super::*;

/// Everything an import prints.
#[track_caller]
fn all(files: &[(&str, &str)]) -> String {
    let imported = of(files);
    let said = said(&imported);
    format!("{said}{}", imported.map(|imported| imported.print()).unwrap_or_default())
}

#[test]
fn no_secret_is_written_wherever_it_comes_from() {
    let text = variables(
        "      API_PASSWORD: hush1\n      LINE: x-${DB_PASSWORD}\n      URL: https://me:hush2@example.com/\n      STRIPE_KEY: ${K:-hush3}\n",
    );
    let imported = of(&[("compose.yaml", &text), (".env", "DB_PASSWORD=hush4\n")]);
    let all = format!("{}{}", said(&imported), imported.unwrap().print());
    assert!(!all.contains("hush"), "{all}");
    assert_eq!(all.matches("sync: false\n").count(), 4, "{all}");
}

#[test]
fn a_secret_of_a_variable_is_written_into_no_setting_and_shown_in_no_finding() {
    let text = "\
services:
  app:
    image: reg/${DB_PASSWORD}/a
    command: run --as=${DB_PASSWORD}
    ports: ['80:80', '${DB_PASSWORD}:x']
    healthcheck: { test: 'curl http://localhost:80/${DB_PASSWORD}' }
    volumes: ['d:/data/${DB_PASSWORD}', '${DB_PASSWORD}:/b']
    env_file: ['${DB_PASSWORD}.env']
    environment: ['${DB_PASSWORD}', 'A_${DB_PASSWORD}=1', 'B=${INDIRECT}']
  built:
    build: { context: './${DB_PASSWORD}', dockerfile: 'D.${DB_PASSWORD}' }
    command: [run, '${DB_PASSWORD}']
  left: { image: a, profiles: ['${DB_PASSWORD}'] }
  data:
    image: postgres:${DB_PASSWORD}
    environment: { POSTGRES_USER: '${DB_PASSWORD}', POSTGRES_DB: '${DB_PASSWORD}' }
";
    let env = "DB_PASSWORD=hush\nINDIRECT=x-${DB_PASSWORD}\n";
    let all = all(&[("compose.yaml", text), (".env", env)]);
    assert!(!all.contains("hush"), "{all}");
    has(
        &all,
        &["`startCommand` is to be given", "`image` is to be given", "warning[hidden-value]"],
    );
    let cut = "services:\n  app: { image: a, command: 'run ${DB_PASSWORD} && x' }\n";
    let refused = self::all(&[("compose.yaml", cut), (".env", env)]);
    assert!(!refused.contains("hush"), "{refused}");
    has(&refused, &["error[command]", "what comes before it"]);
}

#[test]
fn the_default_of_a_variable_with_a_telling_name_is_a_secret() {
    let text = variables(
        "      A: ${MY_TOKEN:-hush}\n      B: Bearer ${JWT_SECRET-hush}\n      C: ${N:-a${SECRET_KEY:-hush}}\n      AWS_SECRET_ACCESS_KEY: ${AWS_SECRET_ACCESS_KEY:-}\n",
    );
    let text = format!("{text}    env_file: a.env\n    command: run ${{MY_TOKEN:-hush}}\n");
    let all = all(&[("compose.yaml", &text), ("a.env", "D=x${MY_TOKEN:-hush}\n")]);
    assert!(!all.contains("hush"), "{all}");
    assert_eq!(all.matches("sync: false\n").count(), 5, "{all}");
}

#[test]
fn the_old_password_of_a_database_is_written_nowhere() {
    let text = "\
services:
  db: { image: 'mysql:8', environment: { MYSQL_ROOT_PASSWORD: hushroot, MYSQL_PASSWORD: hushuser } }
  mongo: { image: 'mongo:7', environment: { MONGO_INITDB_ROOT_PASSWORD: hushmongo } }
  cache: { image: 'redis:7', command: redis-server --requirepass hushcache }
  pg: { image: 'postgres:16', environment: { POSTGRES_PASSWORD: postgres } }
  app:
    image: a
    command: run hushuser
    environment:
      ADMIN: hushmongo
      GO: 'u:hushuser@tcp(db:3306)/app'
      ROOT: hushroot
      REDIS_HOSTS: local:cache:6379:0:hushcache
      DIALECT: postgres
      LIBPQ: 'x://postgres:postgres@pg.example.com'
";
    let all = all(&[("compose.yaml", text)]);
    assert!(!all.contains("hush") && !all.contains(":postgres@"), "{all}");
    has(
        &all,
        &[
            "key: ADMIN\n      fromDatabase:\n        name: mongo\n        property: password",
            "key: GO\n      sync: false",
            "key: REDIS_HOSTS\n      sync: false",
            "key: DIALECT\n      value: postgres",
            "`startCommand` is to be given",
            "contains the old password of database/db",
        ],
    );
}
