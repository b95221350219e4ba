//! One call of a fresh instance, whatever its imports are: the contract's functions by their names and types, arguments and answers as JSON.

use serde_json::{Value, json};
use wasmtime::{
    Store,
    component::{Component, Func, InstancePre, Val, types::ComponentItem},
};

use super::Fault;
use crate::json::{self, Misfit};

/// Calls `interface.function` with arguments by name. The outer result is this host's, the inner one the contract's.
///
/// # Errors
/// See [`Fault`].
pub async fn call<T: Send + 'static>(
    pre: &InstancePre<T>,
    store: &mut Store<T>,
    function: &str,
    arguments: &Value,
) -> Result<Result<Value, Value>, Fault> {
    Ok(match given(pre, store, function, arguments).await? {
        Val::Result(Ok(value)) => Ok(value.as_deref().map_or(Value::Null, json::from_val)),
        Val::Result(Err(error)) => Err(error.as_deref().map_or(Value::Null, json::from_val)),
        other => Ok(json::from_val(&other)),
    })
}

/// The same, as the runtime gives it.
///
/// # Errors
/// See [`Fault`].
pub async fn given<T: Send + 'static>(
    pre: &InstancePre<T>,
    mut store: &mut Store<T>,
    function: &str,
    arguments: &Value,
) -> Result<Val, Fault> {
    let instance = pre.instantiate_async(&mut store).await?;
    let unknown = || Fault::NoSuchFunction(function.to_owned());
    let (interface, name) = names(function).ok_or_else(unknown)?;
    let outer = instance
        .get_export_index(&mut store, None, &interface)
        .ok_or_else(unknown)?;
    let inner = instance
        .get_export_index(&mut store, Some(&outer), name)
        .ok_or_else(unknown)?;
    let func = instance.get_func(&mut store, inner).ok_or_else(unknown)?;
    let arguments = arguments_of(&func, store, arguments)?;
    let mut results = [Val::Bool(false)];
    func.call_async(&mut store, &arguments, &mut results)
        .await?;
    let [result] = results;
    Ok(result)
}

/// The interface's whole name, and the function's.
fn names(function: &str) -> Option<(String, &str)> {
    let (interface, name) = function.split_once('.')?;
    Some((format!("tsunagi:connector/{interface}@0.1.0"), name))
}

/// The budget of a call that names none.
fn modest() -> Value {
    json!({ "requests": 300, "seconds": 20 })
}

/// The names of a function's parameters in its own order, and the arguments with a budget where one was left out.
pub(super) fn complete(
    component: &Component,
    function: &str,
    given: &Value,
) -> (Vec<String>, Value) {
    let names = parameters(component, function).unwrap_or_default();
    let mut given = given.clone();
    if let Some(fields) = given.as_object_mut()
        && names.iter().any(|name| name == "budget")
    {
        fields.entry("budget").or_insert_with(modest);
    }
    (names, given)
}

fn parameters(component: &Component, function: &str) -> Option<Vec<String>> {
    let (interface, name) = names(function)?;
    let outer = component.get_export_index(None, &interface)?;
    match component.get_export(Some(&outer), name)?.0 {
        ComponentItem::ComponentFunc(ty) => {
            Some(ty.params().map(|(name, _)| name.to_owned()).collect())
        }
        _ => None,
    }
}

/// Arguments in the function's own order. A missing budget is a modest one; other missing arguments are said.
fn arguments_of<T>(func: &Func, store: &Store<T>, given: &Value) -> Result<Vec<Val>, Misfit> {
    let modest = modest();
    let ty = func.ty(store);
    let read = ty.params().map(|(name, ty)| {
        let value = match given.get(name) {
            None if name == "budget" => &modest,
            other => other.unwrap_or(&Value::Null),
        };
        json::to_val(&ty, value, name)
    });
    read.collect()
}
