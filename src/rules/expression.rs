//! One expression: read, its names checked, and evaluated within a number of steps. The only file
//! that knows the Common Expression Language beside `meter`.

use std::sync::Arc;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr};
use cel::{Context, Env, ExecutionError, Program, Value};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::{RuleScope, meter};

/// The longest expression, in bytes.
const BYTES_MAX: usize = 4096;

/// How deep an expression nests: a row of sums is as deep as it is long.
const DEPTH_MAX: usize = 128;

/// The longest text that is told of what the language itself says.
const REASON_CHARACTERS_MAX: usize = 200;

/// The stack an expression is read and evaluated on: both go as deep as it nests, or as it is long.
const STACK_BYTES: usize = 64 << 20;

/// The functions of the language; none makes more of a value than it was given. Operators are
/// functions as well, whose names no identifier has.
const FUNCTIONS: [&str; 25] = [
    "bool",
    "bytes",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "timestamp",
    "type",
    "uint",
];

/// The names of types, for `type(x) == string`.
const TYPES: [&str; 10] =
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// An expression whose names are all known.
#[derive(Clone, Debug)]
pub(super) struct Expression(Arc<IdedExpr>);

/// Why an expression says neither yes nor no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoVerdict(pub String);

impl Expression {
    /// Reads an expression, and checks every name in it.
    ///
    /// # Errors
    /// When it is no expression, is too long or too deep, or names what is not there.
    pub fn parse(text: String, scope: RuleScope) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("it is longer than {BYTES_MAX} bytes"));
        }
        let read = on_own_stack(move || {
            let program = Program::compile(&text).map_err(|errors| {
                let first = errors.errors.first();
                let (line, column) = first.map_or((1, 1), |error| error.pos);
                let said = first.map_or("", |error| error.msg.as_str());
                if said.contains("Recursion limit") {
                    return too_deep();
                }
                format!("line {line}, column {column} of it: {}", short(said))
            })?;
            let expression = program.expression().clone();
            let mut known: Vec<String> = Vec::from(["plan".into(), "project".into(), "now".into()]);
            if scope == RuleScope::Change {
                known.push("change".into());
            }
            check(&expression, &mut known, 0)?;
            Ok(Self(Arc::new(meter::metered(expression))))
        });
        read.unwrap_or_else(|| Err("it cannot be understood".to_owned()))
    }

    /// Evaluates it. It ends at the latest when no steps are left, whatever it says.
    pub fn holds(&self, scene: &Context<'_, '_>) -> Result<bool, NoVerdict> {
        let value = Value::resolve(&self.0, scene);
        // An error within `||` may be outweighed by what stands beside it; this one never is.
        if meter::is_used_up() {
            return Err(NoVerdict("it takes more steps than a rule may".to_owned()));
        }
        match value {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => {
                let found = other.type_of();
                Err(NoVerdict(format!("it gives a value of type `{found}`, not a boolean")))
            }
            Err(error) => Err(NoVerdict(reason(&error))),
        }
    }
}

/// What the variables of rules are.
pub(super) struct RuleScene<'a> {
    pub plan: &'a serde_json::Value,
    pub project: &'a str,
    pub now: Timestamp,
}

impl RuleScene<'_> {
    /// Makes the place in which rules are evaluated.
    pub fn set(&self) -> Result<Context<'static, 'static>, NoVerdict> {
        let mut env = Env::stdlib();
        meter::install(&mut env);
        let mut context = Context::with_env(Arc::new(env));
        let now = Program::compile(&format!("timestamp('{}')", self.now)).ok();
        let now = now.and_then(|it| it.execute(&Context::default()).ok());
        let now = now.ok_or_else(|| NoVerdict("the time cannot be told".to_owned()))?;
        bind(&mut context, "plan", self.plan)?;
        context.add_variable_from_value("project", self.project.to_owned());
        context.add_variable_from_value("now", now);
        Ok(context)
    }
}

/// Gives a variable the value of a document.
pub(super) fn bind(
    context: &mut Context<'_, '_>,
    name: &str,
    value: &serde_json::Value,
) -> Result<(), NoVerdict> {
    let value = cel::to_value(Plain(value)).map_err(|error| NoVerdict(short(&error)))?;
    context.add_variable_from_value(name, value);
    Ok(())
}

/// A document with its whole numbers as the language has them: with a sign.
struct Plain<'a>(&'a serde_json::Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde_json::Value as Json;
        match self.0 {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(truth) => serializer.serialize_bool(*truth),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => serializer.serialize_i64(whole),
                None => serializer.serialize_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => serializer.serialize_str(text),
            Json::Array(items) => serializer.collect_seq(items.iter().map(Plain)),
            Json::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, it)| (name, Plain(it))))
            }
        }
    }
}

/// Runs something on a stack that is deep enough; nothing when it ended in a defect.
pub(super) fn on_own_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        thread.spawn_scoped(scope, run).ok()?.join().ok()
    })
}

/// Refuses what names something that is not there: at its reading, not when it first matters.
fn check(expression: &IdedExpr, known: &mut Vec<String>, depth: usize) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err(too_deep());
    }
    let depth = depth + 1;
    match &expression.expr {
        Expr::Literal(_) => Ok(()),
        Expr::Ident(name) if known.contains(name) || TYPES.contains(&name.as_str()) => Ok(()),
        Expr::Ident(name) => Err(format!("there is no `{name}`; a rule knows {}", listed(known))),
        Expr::Call(CallExpr { func_name, target, args }) => {
            let is_word = func_name.starts_with(|c: char| c.is_ascii_alphabetic());
            if is_word && !FUNCTIONS.contains(&func_name.as_str()) {
                return Err(format!("there is no function `{func_name}`"));
            }
            target.iter().try_for_each(|target| check(target, known, depth))?;
            args.iter().try_for_each(|argument| check(argument, known, depth))
        }
        Expr::Select(select) => check(&select.operand, known, depth),
        Expr::List(list) => {
            list.elements.iter().try_for_each(|element| check(element, known, depth))
        }
        Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => {
                check(&entry.key, known, depth)?;
                check(&entry.value, known, depth)
            }
            EntryExpr::StructField(field) => check(&field.value, known, depth),
        }),
        Expr::Comprehension(loops) => {
            check(&loops.iter_range, known, depth)?;
            check(&loops.accu_init, known, depth)?;
            let outside = known.len();
            known.push(loops.iter_var.clone());
            known.extend(loops.iter_var2.clone());
            known.push(loops.accu_var.clone());
            let inside = [&loops.loop_cond, &loops.loop_step, &loops.result];
            let checked = inside.into_iter().try_for_each(|part| check(part, known, depth));
            known.truncate(outside);
            checked
        }
        Expr::Struct(made) => Err(format!("it makes a `{}`, and there are none", made.type_name)),
        Expr::Unspecified => Err("a part of it is missing".to_owned()),
    }
}

fn too_deep() -> String {
    format!("it nests more than {DEPTH_MAX} deep")
}

fn listed(known: &[String]) -> String {
    let shown = known.iter().filter(|name| !name.starts_with('@'));
    shown.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Says why an evaluation failed, without the values it failed on: they may be long.
fn reason(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(name) => format!("there is no member `{}`", short(name)),
        ExecutionError::NoSuchOverload(error) => short(error),
        ExecutionError::UnexpectedType { got, want } => {
            format!("it has a value of type `{got}` where `{want}` is needed")
        }
        ExecutionError::FunctionError { function, message } => {
            format!("`{function}` fails: {}", short(message))
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "it divides by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a number becomes too large".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "it asks for an element beyond the last".to_owned(),
        _ => "its values do not fit together".to_owned(),
    }
}

fn short(text: &(impl ToString + ?Sized)) -> String {
    text.to_string().chars().take(REASON_CHARACTERS_MAX).collect()
}
