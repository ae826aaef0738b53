import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const defaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'Named exports only: a name that is the same everywhere can be searched for.',
};
const onlyTest = {
  selector: "MemberExpression[object.name=/^(it|test|describe|bench)$/][property.name='only']",
  message: '`.only` silences every other test: take it out before committing.',
};
const exits = {
  object: 'process',
  property: 'exit',
  message: 'Only src/cli ends the process. Throw an error from src/core/errors.ts.',
};

export default defineConfig(
  {
    ignores: [
      'dist/',
      'build/',
      'coverage/',
      'outputs/',
      '.cache/',
      'data/',
      'test/fixtures/',
      'docs/api/',
      '**/*.d.ts',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-properties': ['error', exits],
      'no-restricted-syntax': ['error', defaultExport],
      'max-lines': ['error', { max: 400, skipBlankLines: true }],
      'prefer-template': 'error',
      'object-shorthand': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { args: 'after-used', argsIgnorePattern: '^_', caughtErrors: 'all', ignoreRestSiblings: true },
      ],
      // Numbers and booleans read well in a message; objects, arrays and undefined do not.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // `while (true)` with a break inside is an honest loop.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // `as number` at an index known to be inside says what it is; `!` is not used here at all.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // SQL schemas and JSON shapes are written as types so that they can be read as unions elsewhere.
      '@typescript-eslint/consistent-type-definitions': 'off',
      // Environment variables and JSON documents are read by key, as noPropertyAccessFromIndexSignature asks.
      '@typescript-eslint/dot-notation': 'off',
    },
  },
  {
    // The command line prints and sets exit codes; a worker or agent is a process of its own, which it alone can end.
    files: [
      'src/cli/**/*.ts',
      'src/**/*-worker.ts',
      'src/**/worker-main.ts',
      'src/**/*-agent.ts',
      'src/**/*-thread.ts',
    ],
    rules: { 'no-console': 'off', 'no-restricted-properties': 'off' },
  },
  {
    // Coefficients stand as published, with the digits that a double rounds away; hot loops count by index.
    files: ['src/algorithms/**/*.ts', 'test/**/*.ts'],
    rules: { 'no-loss-of-precision': 'off', '@typescript-eslint/prefer-for-of': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'no-console': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-syntax': ['error', defaultExport, onlyTest],
      'max-lines': 'off',
      // A test may look into what it knows to be there; vitest's matchers and async callbacks need the rest.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    // Tools ask for a default export.
    files: ['*.config.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    extends: [js.configs.recommended],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'URL',
          'Buffer',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'performance',
        ].map((name) => [name, 'readonly']),
      ),
    },
    rules: { eqeqeq: 'error', 'prefer-const': 'error', 'object-shorthand': 'error', 'prefer-template': 'error' },
  },
);
