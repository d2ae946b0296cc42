/** Range in the text of a route. The offsets are in UTF-16 units, and the end is exclusive. */
export type TextSpan = { readonly start: number; readonly end: number };

/** Step of a body path: an object key or an array index. */
export type PathStep = string | number;

export type UnaryOperator = 'NOT' | '-';

export type OrderOperator = '<' | '<=' | '>' | '>=';

export type BinaryOperator =
  | '??'
  | 'OR'
  | 'AND'
  | '='
  | '!='
  | OrderOperator
  | '+'
  | '-'
  | '||'
  | '*'
  | '/'
  | '%';

export type Literal = TextSpan & {
  readonly kind: 'literal';
  readonly value: number | string | boolean | null | undefined;
};

export type Property = TextSpan & { readonly kind: 'property'; readonly name: string };

/** System property. The name is stored without `$`. */
export type SystemProperty = TextSpan & { readonly kind: 'system'; readonly name: string };

export type BodyPath = TextSpan & { readonly kind: 'body'; readonly path: readonly PathStep[] };

/**
 * `$x` in the azure dialect. If the message has an application property with the name `$x`, the value of this
 * property is used. Otherwise the value of `hidden` is used.
 */
export type Shadowed = TextSpan & {
  readonly kind: 'shadowed';
  readonly name: string;
  readonly hidden: SystemProperty | BodyPath;
};

/** `twin_change_includes(properties.reported.x)`: tests if a twin change contains this path. */
export type TwinChange = TextSpan & { readonly kind: 'twin'; readonly path: readonly PathStep[] };

export type Unary = TextSpan & {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: Expression;
};

export type Binary = TextSpan & {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
};

/** Function call. The name is in lower case. */
export type Call = TextSpan & {
  readonly kind: 'call';
  readonly name: string;
  readonly operands: readonly Expression[];
};

/**
 * Condition or part of a condition. Brackets are not stored, because the structure of the tree replaces them.
 */
export type Expression =
  | Literal
  | Property
  | SystemProperty
  | BodyPath
  | Shadowed
  | TwinChange
  | Unary
  | Binary
  | Call;

/** Upstream in a route: `$upstream/<name>`, or `$upstream` if the name is undefined. */
export type UpstreamRef = { readonly kind: 'upstream'; readonly name: string | undefined };

/** Source of a route: a path prefix, a topic filter, or an upstream with an optional topic filter. */
export type Source =
  | { readonly kind: 'path'; readonly segments: readonly string[] }
  | { readonly kind: 'topic'; readonly filter: string }
  | (UpstreamRef & { readonly filter: string | undefined });

/** Destination of a route. */
export type Sink =
  | UpstreamRef
  | { readonly kind: 'input'; readonly module: string; readonly input: string }
  | { readonly kind: 'topic'; readonly topic: string };

/** Syntax tree of a route. A route without a condition matches all messages of its source. */
export type RouteTree = {
  readonly source: Source;
  readonly condition: Expression | undefined;
  readonly sink: Sink;
};
