/** Shows the page on which a collection of photos is made and searched. */
import { render } from 'preact'
import '../style.css'
import { CollectionApp } from './collection-app.js'
import './collection.css'

const root = document.getElementById('app')
if (root !== null) render(<CollectionApp />, root)
